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

/** Why no host could be asked, in one line: what each host said, which the driver's own words show with its stack. */
export function whyOf(error: unknown): string {
  const each: unknown[] =
    error instanceof errors.NoHostAvailableError ? Object.values(error.innerErrors ?? {}) : [];
  const told = (each.length === 0 ? [error] : each).map((one) =>
    one instanceof Error ? one.message : String(one),
  );
  return [...new Set(told)].join('; ');
}

/**
 * Says what an operator must mend before Cassandra lets anybody in: its user or password, or a certificate. It stays so by itself.
 *
 * @returns undefined for what may pass: where a host that was asked is down or starts, it may let somebody in later
 */
export function refusalOf(error: unknown): string | undefined {
  const told = refusalsOf(error);
  return told.includes(undefined) ? undefined : told[0];
}

/** The same of each host that was asked; a Cassandra that starts cannot look up its users yet, and says so in other words. */
export function refusalsOf(error: unknown): readonly (string | undefined)[] {
  if (error instanceof errors.NoHostAvailableError)
    return Object.values(error.innerErrors ?? {}).flatMap(refusalsOf);
  const words = wordsOf(error);
  return words === undefined && error instanceof Error && error.cause !== undefined
    ? refusalsOf(error.cause)
    : [words];
}

function wordsOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof errors.AuthenticationError || isBadLogin(error))
    return /incorrect|no authenticator|bad credentials/i.test(error.message)
      ? 'it does not take the user or the password: see TANGAZA_CASSANDRA_USER and TANGAZA_CASSANDRA_PASSWORD'
      : undefined;
  const code = 'code' in error ? String(error.code) : '';
  const fault = tlsFaults.find(({ codes: those }) => those.test(code));
  return fault === undefined ? undefined : `${fault.words} (${error.message})`;
}

const badLogin: ReadonlySet<number> = new Set([codes.badCredentials]);
const isBadLogin = (error: Error): boolean =>
  error instanceof errors.ResponseError && badLogin.has(error.code);

const tlsFaults = [
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    words: 'its certificate does not name its address: mend it, or set TANGAZA_CASSANDRA_TLS=verify-ca',
  },
  { codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, words: 'its certificate is not valid now' },
  {
    codes:
      /SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|^CERT_(UNTRUSTED|SIGNATURE_FAILURE)/,
    words: 'its certificate is signed by another authority: see TANGAZA_CASSANDRA_CA',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)|^EPROTO$/,
    words:
      'it does not speak TLS there, or refuses ours: see TANGAZA_CASSANDRA_TLS, TANGAZA_CASSANDRA_CERT and TANGAZA_CASSANDRA_KEY',
  },
  {
    codes: /^ERR_(OSSL|SSL)_.*(PEM|KEY|X509|ALERT)/,
    words:
      'the certificate or the key of this node is no good: see TANGAZA_CASSANDRA_CERT and TANGAZA_CASSANDRA_KEY',
  },
] as const;

/**
 * @param dataCentre which one it is about
 * @returns what the caller is told; an error that is ours stays as it is, as it is a fault of this code or of the set-up
 */
export function toldAs(error: unknown, dataCentre = ''): unknown {
  const more = { cause: error, data: { dataCentre } };
  switch (faultOf(error)) {
    case 'unreachable':
      return new TangazaError('UNAVAILABLE', 'The database does not answer: try again.', more);
    case 'overloaded':
      return new TangazaError('OVERLOADED', 'The database has too much to do: try again in a moment.', more);
    default:
      return error;
  }
}
