/**
 * Signs tokens and receipts with a region's key: compact JWS (RFC 7515) with Ed25519.
 *
 * Each comment has a receipt, so those are put together by hand and signed by `node:crypto` in the threads of the pool, many with one
 * signature: the library's way costs the main thread more than all guards together.
 */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { importJWK, SignJWT, type CryptoKey } from 'jose';
import type { UserId } from '../../../cluster/model/ids.ts';
import type { SigningKey } from '../../../cluster/model/token-keys.ts';
import { ownIssuer, ownTypes } from './claims.ts';
import { hashTree } from './hash-tree.ts';

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

/** One key in the forms of both libraries. */
interface Keys {
  readonly ofTokens: CryptoKey | Uint8Array;
  readonly ofReceipts: KeyObject;
}

export class TokenSigner {
  readonly #keys: Keys;
  readonly #kid: string;
  readonly #heads: Readonly<Record<'receipt' | 'receipts', string>>;

  constructor(keys: Keys, kid: string) {
    this.#keys = keys;
    this.#kid = kid;
    const head = (typ: string): string => base64url(JSON.stringify({ alg, kid, typ }));
    this.#heads = { receipt: head(ownTypes.receipt), receipts: head(ownTypes.receipts) };
  }

  guestToken(id: UserId, name: string, life: Life): Promise<string> {
    return this.#token(ownTypes.guest, id, { name }, life);
  }

  accountToken({ account, name, roles, permissions, stream }: AccountGrant, life: Life): Promise<string> {
    const claims = { name, roles, permissions, ...(stream === undefined ? {} : { stream }) };
    return this.#token(ownTypes.account, account, claims, life);
  }

  /**
   * A receipt for each text: a JWS of the text; or where there are several, `JWS~text~proof` with one JWS of the root of their tree for all.
   */
  async receipts(texts: readonly string[]): Promise<readonly string[]> {
    const [text = ''] = texts;
    if (texts.length < 2) return [await this.#signed('receipt', text)];
    const { root, proofs } = hashTree(texts);
    const signedRoot = await this.#signed('receipts', root);
    return texts.map((one, index) => [signedRoot, base64url(one), proofs[index]].join('~'));
  }

  #signed(typ: 'receipt' | 'receipts', text: string): Promise<string> {
    const signed = `${this.#heads[typ]}.${base64url(text)}`;
    return new Promise((resolve, reject) => {
      sign(null, Buffer.from(signed), this.#keys.ofReceipts, (error, signature) =>
        error === null ? resolve(`${signed}.${signature.toString('base64url')}`) : reject(error),
      );
    });
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
      .sign(this.#keys.ofTokens);
  }
}

export async function openSigner({ kid, kty, crv, x, d }: SigningKey): Promise<TokenSigner> {
  const key = { kty, crv, x, d };
  const ofReceipts = createPrivateKey({ key, format: 'jwk' });
  return new TokenSigner({ ofTokens: await importJWK(key, alg), ofReceipts }, kid);
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
