/**
 * Decides who may do what. The operator's token opens everything. A scrape token opens only what concerns the machine.
 *
 * What concerns the machine (`/metrics`, details of `/readyz`) needs no token on the operator port while that port is bound to the loopback
 * address. A page in a browser on this host is no operator: a request with an `Origin`, or one that names another host (DNS rebinding),
 * needs a token there too.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { callerAddress, networkOf, type IsTrustedProxy } from './caller.ts';
import type { HttpRequest } from './http.ts';

export interface Access {
  /** Without a token, the operator's routes are closed. */
  readonly operatorToken: string | undefined;
  readonly metricsToken: string | undefined;
  /** True on the operator port, when it is bound to the loopback address. */
  readonly isLocalPort: boolean;
}

/** @throws TangazaError `UNAUTHENTICATED` */
export function mustBeOperator(request: HttpRequest, { operatorToken }: Access): void {
  if (!hasToken(request, operatorToken))
    throw new TangazaError('UNAUTHENTICATED', 'Send Authorization: Bearer with the operator token.');
}

/** Only whether there is a token: what it is worth, the actor behind the route finds out. @throws TangazaError `UNAUTHENTICATED` */
export function mustBeViewer(caller: Caller | undefined): void {
  if (caller?.bearer === undefined && caller?.isOperator !== true)
    throw new TangazaError(
      'UNAUTHENTICATED',
      'Send Authorization: Bearer with the token of an account, or of a guest: POST /v1/guests makes one.',
    );
}

/** Who sent a request, before anybody has looked at the token. */
export function callerOf(request: HttpRequest, { operatorToken }: Access, isTrusted: IsTrustedProxy): Caller {
  const network = networkOf(callerAddress(request, isTrusted));
  return callerWith({ network, token: bearerOf(request) }, { operatorToken });
}

/** Who says that they are this, wherever their token came from. */
export function callerWith(
  { network, token = '' }: { readonly network: string; readonly token?: string | undefined },
  { operatorToken }: Pick<Access, 'operatorToken'>,
): Caller {
  if (isSameToken(token, operatorToken)) return { network, isOperator: true };
  return { network, isOperator: false, ...(token === '' ? {} : { bearer: token }) };
}

/** @throws TangazaError `UNAUTHENTICATED` */
export function mustBeInsider(request: HttpRequest, access: Access): void {
  if (isInsider(request, access)) return;
  throw new TangazaError(
    'UNAUTHENTICATED',
    access.isLocalPort
      ? 'Only callers of this host that name it 127.0.0.1, [::1] or localhost need no token here: send Authorization: Bearer with the operator token or the one of TANGAZA_METRICS_TOKEN.'
      : 'Send Authorization: Bearer with the operator token or the one of TANGAZA_METRICS_TOKEN; the operator port (TANGAZA_OPERATOR_PORT) needs none.',
  );
}

/** Says whether the caller may see what concerns the machine. */
export function isInsider(request: HttpRequest, access: Access): boolean {
  return (
    (access.isLocalPort && isOfThisHost(request)) ||
    hasToken(request, access.operatorToken) ||
    hasToken(request, access.metricsToken)
  );
}

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

function isOfThisHost(request: HttpRequest): boolean {
  return request.header('origin') === '' && loopbackHost.test(request.header('host'));
}

function hasToken(request: HttpRequest, token: string | undefined): boolean {
  return isSameToken(bearerOf(request), token);
}

/** Compares hashes, so that the time it takes shows neither the length nor the content of the token. */
function isSameToken(given: string, token: string | undefined): boolean {
  return (
    token !== undefined &&
    token !== '' &&
    given !== '' &&
    timingSafeEqual(hash('sha256', given, 'buffer'), hashOf(token))
  );
}

/** A node has one token or two, and every request is compared with them. */
const hashes = new Map<string, Buffer>();
const mostHashes = 16;

function hashOf(token: string): Buffer {
  const known = hashes.get(token);
  if (known !== undefined) return known;
  const made = hash('sha256', token, 'buffer');
  if (hashes.size >= mostHashes) hashes.clear();
  hashes.set(token, made);
  return made;
}

/** An account's token holds what its maker put into it, so it may be longer than ours. */
const mostTokenBytes = 8000;

/** @returns the empty string where there is none */
function bearerOf(request: HttpRequest): string {
  const [, given = ''] = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.header('authorization')) ?? [];
  return given.length > mostTokenBytes ? '' : given;
}
