/** Signs tokens and receipts with a region's key: compact JWS (RFC 7515) with Ed25519. */
import { CompactSign, importJWK, SignJWT, type CryptoKey } from 'jose';
import type { UserId } from '../../../cluster/model/ids.ts';
import type { SigningKey } from '../../../cluster/model/token-keys.ts';
import { ownIssuer, ownTypes } from './claims.ts';

const alg = 'EdDSA';

export interface AccountGrant {
  /** The subject: who it is, in the operator's own words. */
  readonly account: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly stream?: string | undefined;
}

interface Life {
  readonly nowMs: number;
  readonly hours: number;
}

export class TokenSigner {
  readonly #key: CryptoKey | Uint8Array;
  readonly #kid: string;

  constructor(key: CryptoKey | Uint8Array, kid: string) {
    this.#key = key;
    this.#kid = kid;
  }

  guestToken(id: UserId, name: string, life: Life): Promise<string> {
    return this.#token(ownTypes.guest, id, { name }, life);
  }

  accountToken({ account, name, roles, permissions, stream }: AccountGrant, life: Life): Promise<string> {
    const claims = { name, roles, permissions, ...(stream === undefined ? {} : { stream }) };
    return this.#token(ownTypes.account, account, claims, life);
  }

  receipt(text: string): Promise<string> {
    return new CompactSign(Buffer.from(text))
      .setProtectedHeader({ alg, kid: this.#kid, typ: ownTypes.receipt })
      .sign(this.#key);
  }

  #token(
    typ: string,
    subject: string,
    claims: Record<string, unknown>,
    { nowMs, hours }: Life,
  ): Promise<string> {
    const seconds = Math.floor(nowMs / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg, kid: this.#kid, typ })
      .setIssuer(ownIssuer)
      .setSubject(subject)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + Math.round(hours * 3600))
      .sign(this.#key);
  }
}

export async function openSigner({ kid, kty, crv, x, d }: SigningKey): Promise<TokenSigner> {
  return new TokenSigner(await importJWK({ kty, crv, x, d }, alg), kid);
}
