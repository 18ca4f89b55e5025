/** Says why a gateway's client does not work, in words that tell an operator what to do. */
import type { Region } from '../topology.ts';

/** The names of errors of OpenSSL and of Node.js, and what they mean here. */
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

/** A proof that was asked for and is wrong. */
export class WrongSecret extends Error {}

/** @param error what connecting, a hello or the connection ended with */
export function wordsOf(error: unknown, { id, gateway }: Region): string {
  const at = gateway.natsUrls.map(withoutPassword).join(', ');
  const { name, code, message } = facts(error);
  if (error instanceof WrongSecret)
    return `region ${id} has other shared secrets: give the nodes of both regions one secrets.json, unless this is the address of somebody else's cluster (${at})`;
  const tls = tlsWords[code];
  if (tls !== undefined)
    return `the NATS of region ${id} (${at}) is not trusted, as ${tls}: compare its certificate with ca and nats of that region in the file of TANGAZA_REGIONS`;
  if (code.startsWith('ERR_SSL_') || /certificate|handshake|tls/i.test(message))
    return `the NATS of region ${id} (${at}) refuses our certificate, or one of the two wants TLS and the other has none (${message}): look at cert, key and ca of that region in the file of TANGAZA_REGIONS, and at tls of its NATS file`;
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError')
    return `the NATS of region ${id} (${at}) does not know our user: compare credentials of that region in the file of TANGAZA_REGIONS with the user gateway of its NATS file`;
  if (name === 'PermissionViolationError')
    return `our user at the NATS of region ${id} (${at}) may not do what a gateway does (${message}): give it the permissions of the user gateway of config/nats`;
  if (name === 'NoRespondersError' || message.includes('no responders'))
    return `no node of region ${id} answers at ${at}: is it the NATS of that region, and are its nodes up?`;
  return `the NATS of region ${id} (${at}) does not answer (${message})`;
}

function facts(error: unknown): { readonly name: string; readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: '', code: '', message: 'no reason was given' };
  // The client hides what OpenSSL said in the cause.
  const inner = error.cause instanceof Error ? facts(error.cause) : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return {
    name: inner !== undefined && inner.name !== 'Error' && inner.name !== '' ? inner.name : error.name,
    code: inner?.code !== undefined && inner.code !== '' ? inner.code : code,
    message: error.message === '' ? (inner?.message ?? 'no reason was given') : error.message,
  };
}

/** `nats://user:password@host` without its user and password. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');
