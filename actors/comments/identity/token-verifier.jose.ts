/**
 * Verifies tokens. `typ` in the header says whose rules count: a region's own for guests, for accounts of `tangaza token create` and for
 * receipts; the operator's service's for all others. Whatever a token says of itself, only fixed algorithms and known keys count (RFC 8725).
 */
import {
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  importJWK,
  jwtVerify,
  type CryptoKey,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';
import type { Identity } from '../../../cluster/contract/api/audience-views.ts';
import { Gate } from '../../../cluster/bounds/gate.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { TokenKey } from '../../../cluster/model/token-keys.ts';
import { accountAlgorithms, type AccountKey } from './account-keys.ts';
import { accountOf, guestOf, ownIssuer, ownTypes } from './claims.ts';
import { rootBy } from './hash-tree.ts';
import type { KeptKeys } from './kept-keys.ts';

const ownAlgorithms = ['EdDSA', 'Ed25519'];
/** As long as the longest token that an edge reads from a header. */
const mostTokenLength = 8000;
/** Clocks of services differ by a little. */
const clockToleranceSeconds = 5;

export interface Accounts {
  readonly keys: KeptKeys;
  readonly issuer: string;
  readonly audience: string;
}

type OwnKeys = ReadonlyMap<string, CryptoKey | Uint8Array>;

interface Using {
  /** Undefined where the operator brings no accounts. */
  readonly accounts: Accounts | undefined;
  readonly signatures: Gate;
}

export class TokenVerifier {
  readonly #own: OwnKeys;
  readonly #accounts: Accounts | undefined;
  readonly #signatures: Gate;
  readonly #finders = new WeakMap<readonly AccountKey[], JWTVerifyGetKey>();
  /** Who waits for the keys of accounts waits here, and in nobody else's way. */
  readonly #waitingForKeys = new Gate({ about: 'the keys of accounts', running: 500, waiting: 500 });

  constructor(own: OwnKeys, { accounts, signatures }: Using) {
    this.#own = own;
    this.#accounts = accounts;
    this.#signatures = signatures;
  }

  /** @throws TangazaError `UNAUTHENTICATED` with what to do; `UNAVAILABLE` when the keys of accounts cannot be had */
  async identify(token: string, nowMs: number): Promise<Identity> {
    if (token.length > mostTokenLength)
      throw new TangazaError(
        'UNAUTHENTICATED',
        `The token is longer than ${mostTokenLength} characters: ${newToken}.`,
      );
    try {
      const { typ } = decodeProtectedHeader(token);
      if (typ === ownTypes.guest) return guestOf(await this.#ownClaims(token, typ, nowMs));
      if (typ === ownTypes.account) return accountOf(await this.#ownClaims(token, typ, nowMs));
      return accountOf(await this.#waitingForKeys.run(() => this.#accountClaims(token, nowMs)));
    } catch (error) {
      if (error instanceof TangazaError) throw error;
      throw refusal(error);
    }
  }

  /** @returns the text of a receipt that a region of ours signed; undefined for anything else @throws TangazaError `OVERLOADED` */
  async receiptText(receipt: string): Promise<string | undefined> {
    const [jws = '', encoded, proof = '', ...rest] = receipt.split('~');
    if (encoded === undefined) return this.#signedText(jws, ownTypes.receipt);
    const text = Buffer.from(encoded, 'base64url').toString('utf8');
    const root = rest.length === 0 ? rootBy(text, proof) : undefined;
    if (root === undefined || root !== (await this.#signedText(jws, ownTypes.receipts))) return undefined;
    return text;
  }

  async #signedText(jws: string, typ: string): Promise<string | undefined> {
    try {
      const options = { algorithms: ownAlgorithms };
      const { payload, protectedHeader } = await this.#signatures.run(() =>
        compactVerify(jws, (header: { readonly kid?: string }) => this.#ownKey(header), options),
      );
      return protectedHeader.typ === typ ? Buffer.from(payload).toString('utf8') : undefined;
    } catch (error) {
      if (error instanceof TangazaError) throw error;
      return undefined;
    }
  }

  async #ownClaims(token: string, typ: string, nowMs: number): Promise<unknown> {
    const options = { ...common(nowMs), algorithms: ownAlgorithms, issuer: ownIssuer, typ };
    return this.#payload(() => jwtVerify(token, (header) => this.#ownKey(header), options));
  }

  async #payload(verify: () => Promise<JWTVerifyResult>): Promise<unknown> {
    return (await this.#signatures.run(verify)).payload;
  }

  #ownKey({ kid }: { readonly kid?: string | undefined }): CryptoKey | Uint8Array {
    const key = kid === undefined ? undefined : this.#own.get(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  /** It imports each key once, so it is kept for as long as its keys are. */
  #finderOf(set: readonly AccountKey[]): JWTVerifyGetKey {
    const known = this.#finders.get(set);
    if (known !== undefined) return known;
    const finder = createLocalJWKSet({ keys: [...set] });
    this.#finders.set(set, finder);
    return finder;
  }

  async #accountClaims(token: string, nowMs: number): Promise<unknown> {
    if (this.#accounts === undefined) throw new errors.JWKSNoMatchingKey();
    const { keys, issuer, audience } = this.#accounts;
    const options = { ...common(nowMs), algorithms: [...accountAlgorithms], issuer, audience };
    const verify = (set: readonly AccountKey[]): Promise<unknown> =>
      this.#payload(() => jwtVerify(token, this.#finderOf(set), options));
    const known = await keys.current();
    try {
      return await verify(known);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const renewed = await keys.renewed();
      if (renewed === known) throw error;
      return verify(renewed);
    }
  }
}

/** Every key that counts, ready to verify with. */
export async function openVerifier(known: readonly TokenKey[], using: Using): Promise<TokenVerifier> {
  const own = new Map<string, CryptoKey | Uint8Array>();
  for (const { kid, kty, crv, x } of known) own.set(kid, await importJWK({ kty, crv, x }, 'EdDSA'));
  return new TokenVerifier(own, using);
}

const common = (nowMs: number): JWTVerifyOptions => ({
  currentDate: new Date(nowMs),
  clockTolerance: clockToleranceSeconds,
  requiredClaims: ['sub', 'exp'],
});

const newToken = 'a guest gets a new one by POST /v1/guests, an account signs in again';

/** The library's words stay here: they describe its parts, not what to do. */
function refusal(error: unknown): TangazaError {
  const refuse = (why: string): TangazaError => new TangazaError('UNAUTHENTICATED', `${why}: ${newToken}.`);
  if (error instanceof errors.JWTExpired) return refuse('The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return refuse(
      `The token was not made for this service, or does not count yet (its claim "${error.claim}")`,
    );
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return refuse('The token was signed with a key that is not known here');
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refuse(`The token is signed in a way that does not count; ${accountAlgorithms.join(', ')} do`);
  return refuse('The token is none, or it was changed');
}
