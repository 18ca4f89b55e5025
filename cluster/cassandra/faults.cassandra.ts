/** Says in the words of the catalogue what an error of the driver means. */
import { errors, types } from 'cassandra-driver';
import { TangazaError } from '../errors/tangaza-error.ts';

const { responseErrorCodes: codes } = types;
const outOfReach: ReadonlySet<number> = new Set([
  codes.unavailableException,
  codes.isBootstrapping,
  codes.writeTimeout,
  codes.readTimeout,
  codes.readFailure,
  codes.writeFailure,
  codes.truncateError,
  codes.serverError,
]);

const tooMuch: ReadonlySet<number> = new Set([codes.overloaded]);

export type Fault =
  /** This data centre does not answer, or not with enough of its nodes: another one may. */
  | 'unreachable'
  /** It answers that it has too much to do: another one would soon have as much. */
  | 'overloaded'
  /** The request, the rights or the schema are wrong: it is the same everywhere. */
  | 'ours';

export function faultOf(error: unknown): Fault {
  if (error instanceof errors.NoHostAvailableError) return innermost(error);
  if (error instanceof errors.OperationTimedOutError) return 'unreachable';
  if (error instanceof errors.BusyConnectionError) return 'overloaded';
  if (!(error instanceof errors.ResponseError)) return 'ours';
  if (tooMuch.has(error.code)) return 'overloaded';
  return outOfReach.has(error.code) ? 'unreachable' : 'ours';
}

/** It carries what each host said. It is overloaded where every host that was asked is. */
function innermost({ innerErrors }: errors.NoHostAvailableError): Fault {
  const inner: unknown[] = Object.values(innerErrors ?? {});
  const isOverloaded = (one: unknown): boolean => one instanceof Error && faultOf(one) === 'overloaded';
  return inner.length > 0 && inner.every(isOverloaded) ? 'overloaded' : 'unreachable';
}

/** @returns what the caller is told; an error that is ours stays as it is, as it is a fault of this code or of the set-up */
export function toldAs(error: unknown): unknown {
  switch (faultOf(error)) {
    case 'unreachable':
      return new TangazaError('UNAVAILABLE', 'The database does not answer: try again.', { cause: error });
    case 'overloaded':
      return new TangazaError('OVERLOADED', 'The database has too much to do: try again in a moment.', {
        cause: error,
      });
    default:
      return error;
  }
}
