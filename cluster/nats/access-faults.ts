/** Says why a client of NATS is not let in, in words that tell an operator what to do. */
interface Place {
  /** `the NATS of region us (tls://…)`. */
  readonly whose: string;
  /** Where its authority, its certificate, its key and its credentials are named. */
  readonly settings: { readonly tls: string; readonly credentials: string };
  /** As whom the client connects, in config/nats. */
  readonly user: 'node' | 'gateway';
}

/** Names that OpenSSL and Node.js give to errors, and what they mean here. */
const tlsWords: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of another authority than ours',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of another authority than ours',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of another authority than ours',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is of another authority than ours',
  CERT_SIGNATURE_FAILURE: 'its certificate is of another authority than ours',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: look at the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name than the one of the URL',
};

/** @returns undefined for what is no matter of certificates, users and their rights */
export function accessFault(error: unknown, { whose, settings, user }: Place): string | undefined {
  const { name, code, message } = factsOf(error);
  const tls = tlsWords[code];
  if (tls !== undefined)
    return `${whose} is not trusted, as ${tls}: compare its certificate with ${settings.tls}`;
  if (code === 'ENOENT' || code === 'EACCES' || message.includes("doesn't exist"))
    return `a file that ${whose} needs cannot be read (${message}): look at ${settings.tls} and ${settings.credentials}`;
  if (
    code.startsWith('ERR_SSL_') ||
    code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ||
    /\btls|certificate/i.test(message)
  )
    return `${whose} refuses our certificate, or one side wants TLS and the other does not (${message}): look at ${settings.tls}, and at tls of its NATS file`;
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError')
    return `${whose} does not know us: our certificate or ${settings.credentials} must be that of its user ${user} (config/nats)`;
  if (name === 'PermissionViolationError')
    return `our user at ${whose} may not do what a ${user} does (${message}): we must be its user ${user}, with the permissions of config/nats`;
  return undefined;
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** The client hides what OpenSSL said in the cause. */
export function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: '', code: '', message: 'no reason was given' };
  const inner = error.cause instanceof Error ? factsOf(error.cause) : { name: '', code: '', message: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isNamed = inner.name !== '' && inner.name !== 'Error';
  return {
    name: isNamed ? inner.name : error.name,
    code: inner.code === '' ? code : inner.code,
    message: readable(error.message === '' ? inner.message : error.message),
  };
}

/** What OpenSSL writes has its reason in the middle: `…:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:…`. */
const readable = (message: string): string => /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;

/** `nats://user:password@host` without its user and password. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');
