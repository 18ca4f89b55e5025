/** Says who callers are, makes guests, signs and opens receipts: the port of identity on JSON Web Tokens (A6, A13). */
import type { Guest, Identity } from '../../../cluster/contract/api/audience-views.ts';
import type { Caller } from '../../../cluster/contract/api/routes.ts';
import { Gate } from '../../../cluster/bounds/gate.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { UserId } from '../../../cluster/model/ids.ts';
import type { TokenKeys } from '../../../cluster/model/token-keys.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { Buckets } from '../../../cluster/bounds/buckets.ts';
import { operatorId, type Accepted, type Identities, type Receipts, type Resent } from './identity.ts';
import { allPermissions } from './permissions.ts';
import { acceptedOf, receiptTextOf } from './receipt.ts';
import { SharedSignatures } from './shared-signatures.ts';
import { TokenCache } from './token-cache.ts';
import { openSigner, type TokenSigner } from './token-signer.jose.ts';
import { openVerifier, type Accounts, type TokenVerifier } from './token-verifier.jose.ts';
import { cleanGuestName } from './user-name.ts';

const guestHours = 30 * 24;

const operator: Identity = {
  user: { id: operatorId, name: 'Operator', kind: 'account' },
  permissions: [...allPermissions],
};

export interface IdentityParts {
  readonly keys: TokenKeys;
  /** Undefined where the operator brings no accounts. */
  readonly accounts: Accounts | undefined;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** A new name that nobody guesses, of letters and digits, 32 at most. */
  readonly newId: () => string;
}

export async function openIdentity(parts: IdentityParts): Promise<Identities & Receipts> {
  // Signatures take turns in the threads that also read and write files: a flood of tokens must not hold up media.
  const signatures = new Gate({ about: 'a signature', running: 4, waiting: 2000 });
  const signer = await openSigner(parts.keys.signing);
  const verifier = await openVerifier(parts.keys.known, { accounts: parts.accounts, signatures });
  return new TokenIdentity(parts, { signer, verifier, signatures });
}

interface Tools {
  readonly signer: TokenSigner;
  readonly verifier: TokenVerifier;
  readonly signatures: Gate;
}

class TokenIdentity implements Identities, Receipts {
  readonly #parts: IdentityParts;
  readonly #signer: TokenSigner;
  readonly #verifier: TokenVerifier;
  readonly #signatures: Gate;
  readonly #receipts: SharedSignatures;
  readonly #cache = new TokenCache();
  /** Who makes tokens up pays for it: tokens that are known count all the same. */
  readonly #refusals = new Buckets({ burst: 200, perSecond: 20, most: 20_000 });
  readonly #count: (result: 'remembered' | 'verified' | 'refused') => void;

  constructor(parts: IdentityParts, { signer, verifier, signatures }: Tools) {
    this.#parts = parts;
    this.#signer = signer;
    this.#verifier = verifier;
    this.#signatures = signatures;
    this.#receipts = new SharedSignatures({
      signAll: (texts) => signatures.run(() => signer.receipts(texts)),
      nextTurn: (run) => void setImmediate(run),
    });
    const tokens = parts.metrics.counter({
      name: 'tangaza_tokens_total',
      help: 'Bearer tokens of the audience: remembered, verified or refused.',
      labels: ['result'],
    });
    this.#count = (result) => tokens.add(1, { result });
  }

  async identify({ bearer, isOperator, network }: Caller): Promise<Identity> {
    if (isOperator) return operator;
    if (bearer === undefined || bearer === '') throw noToken();
    const nowMs = this.#parts.clock.utcMs();
    const known = this.#cache.find(bearer, nowMs);
    if (known !== undefined) {
      this.#count('remembered');
      return known;
    }
    this.#mustNotForge(network);
    try {
      const identity = await this.#verifier.identify(bearer, nowMs);
      this.#cache.keep(bearer, identity, nowMs);
      this.#count('verified');
      return identity;
    } catch (error) {
      this.#count('refused');
      if (errorCodeOf(error) === 'UNAUTHENTICATED')
        this.#refusals.take(network, this.#parts.clock.monotonicMs());
      throw error;
    }
  }

  /** @throws TangazaError `OVERLOADED` */
  #mustNotForge(network: string): void {
    const waitMs = this.#refusals.waitMs(network, this.#parts.clock.monotonicMs());
    if (waitMs === 0) return;
    throw new TangazaError(
      'OVERLOADED',
      'Too many tokens from your network were no good: wait a moment, and get a new one by POST /v1/guests.',
      { data: { retryAfterSeconds: Math.ceil(waitMs / 1000) } },
    );
  }

  async createGuest(name: string): Promise<Guest> {
    const id = UserId.parse(`g-${this.#parts.newId()}`);
    const shown = cleanGuestName(name);
    const life = { nowMs: this.#parts.clock.utcMs(), hours: guestHours };
    const token = await this.#signatures.run(() => this.#signer.guestToken(id, shown, life));
    return { token, user: { id, name: shown, kind: 'guest' } };
  }

  sign(accepted: Accepted): Promise<string> {
    return this.#receipts.sign(receiptTextOf(accepted, this.#parts.clock.utcMs()));
  }

  async open(receipt: string, resent: Resent): Promise<Accepted | undefined> {
    const text = await this.#verifier.receiptText(receipt);
    return text === undefined ? undefined : acceptedOf(text, resent, this.#parts.clock.utcMs());
  }
}

const noToken = (): TangazaError =>
  new TangazaError(
    'UNAUTHENTICATED',
    'Send Authorization: Bearer with the token of an account, or of a guest: POST /v1/guests makes one.',
  );
