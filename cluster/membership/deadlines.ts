/**
 * Checks, before an action does anything, that its caller still waits for it (C6).
 *
 * A process that was frozen with a call in flight carries the call out when it thaws. By then its caller has given the call up and gone to
 * another node (tried). So a call says until when it is wanted, by the caller's monotonic clock. The callee knows how far that clock is
 * from its own. Where it does not, it refuses the call, which may be tried again: the offset is measured meanwhile.
 */
import { z } from 'zod';
import { TangazaError } from '../errors/tangaza-error.ts';
import { NodeId } from '../model/ids.ts';

export const CallMeta = z.object({
  from: NodeId,
  /** Ms on the caller's monotonic clock. */
  deadlineMs: z.number(),
});
export type CallMeta = z.infer<typeof CallMeta>;

export interface DeadlinePorts {
  readonly self: NodeId;
  readonly nowMs: () => number;
  /** The peer's monotonic clock minus ours, in ms. Undefined when it is unknown. */
  readonly clockOffsetMs: (node: NodeId) => number | undefined;
}

export type CheckDeadline = (meta: unknown, isLocal: boolean) => void;

/** The part of a call that a service reads. Moleculer's context has it. */
interface Call<P> {
  readonly params: P;
  readonly meta: unknown;
  readonly nodeID: string | null;
  readonly broker: { readonly nodeID: string };
}

/**
 * Makes the actions of a service. Each action checks the deadline of its call before it does anything.
 *
 * @returns `action`, which also parses the parameters (a TangazaError `BAD_REQUEST` names every fault), and `inTime`, for
 *   parameters that were parsed before
 */
export function actionsInTime(checkDeadline: CheckDeadline) {
  const inTime =
    <P, R>(run: (params: P) => R) =>
    ({ meta, nodeID, broker, params }: Call<P>): R => {
      checkDeadline(meta, nodeID === broker.nodeID);
      return run(params);
    };
  const action = <S extends z.ZodType, R>(schema: S, run: (params: z.infer<S>) => R) =>
    inTime((params: unknown) => run(checked(schema, params)));
  return { action, inTime };
}

function checked<S extends z.ZodType>(schema: S, params: unknown): z.infer<S> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new TangazaError('BAD_REQUEST', z.prettifyError(parsed.error));
}

/** @returns a check that throws TangazaError `BAD_REQUEST` (no deadline), `DEADLINE_UNKNOWN`, `DEADLINE_EXCEEDED` */
export function deadlineCheck({ self, nowMs, clockOffsetMs }: DeadlinePorts): CheckDeadline {
  return (raw, isLocal) => {
    const meta = CallMeta.safeParse(raw);
    if (!meta.success) {
      if (isLocal) return;
      throw new TangazaError('BAD_REQUEST', 'A call from another node needs a deadline.');
    }
    const { from, deadlineMs } = meta.data;
    const offsetMs = from === self ? 0 : clockOffsetMs(from);
    if (offsetMs === undefined)
      throw new TangazaError('DEADLINE_UNKNOWN', `The clock of ${from} is not known here yet.`);
    const lateMs = nowMs() - (deadlineMs - offsetMs);
    if (lateMs >= 0)
      throw new TangazaError(
        'DEADLINE_EXCEEDED',
        `The call came ${Math.round(lateMs)} ms after its deadline.`,
      );
  };
}
