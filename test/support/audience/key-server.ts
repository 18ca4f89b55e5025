/** The service of an operator that signs accounts' tokens: a real HTTP server of its keys, and a maker of tokens, honest and forged. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Algorithm = 'EdDSA' | 'ES256' | 'RS256';
export type MintHeader = Readonly<Record<string, unknown>> & { readonly alg: Algorithm };

/** Signs whatever it is told to, by Node's own cryptography and not by the library that verifies. */
export function mint(header: MintHeader, claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part(claims)}`;
  const digest = header.alg === 'EdDSA' ? null : 'sha256';
  const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function newPrivateKey(alg: Algorithm): KeyObject {
  switch (alg) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey;
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    default:
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  }
}

export interface KeyServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: () => number;
  /** Makes a key and serves its public half. @returns the private half */
  add(kid: string, alg: Algorithm): KeyObject;
  remove(kid: string): void;
  /** Answers otherwise from now on; undefined for the keys again. */
  answer(how: ((reply: ServerResponse) => void) | undefined): void;
}

export async function serveKeys(): Promise<KeyServer> {
  const keys = new Map<string, object>();
  let asked = 0;
  let other: ((reply: ServerResponse) => void) | undefined;
  const server = createServer((_, reply) => {
    asked += 1;
    if (other === undefined) reply.end(JSON.stringify({ keys: [...keys.values()] }));
    else other(reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    asked: () => asked,
    add: (kid, alg) => {
      const key = newPrivateKey(alg);
      const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
      keys.set(kid, { kty, crv, x, y, n, e, kid, alg, use: 'sig' });
      return key;
    },
    remove: (kid) => void keys.delete(kid),
    answer: (how) => {
      other = how;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
