/**
 * The file of the keys that sign tokens. Without a setting, a region's first node on this host makes it in the data folder, and the others
 * read the same one. It holds private keys, so only its owner may read it, and nothing of it is ever logged.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RegionId } from '../cluster/model/ids.ts';
import {
  isSigningKey,
  readTokenKeys,
  tokenKeysOf,
  type SharedSecret,
  type SigningKey,
  type TokenKeys,
} from '../cluster/model/token-keys.ts';
import { makeOnce, replaceFile } from './make-once.disk.ts';
import { UnusableError } from './unusable.ts';

export const tokenKeysName = 'token-keys.json';

/** @param file the one that the operator names; undefined for the region's own in `dataDir` @throws UnusableError that says what is wrong */
export function loadTokenKeys(file: string | undefined, dataDir: string, region: RegionId): TokenKeys {
  const own = join(dataDir, tokenKeysName);
  if (file === undefined) makeOnce(own, textOf([newKey(region), newSecret()]));
  const keys = tokenKeysOf(readKeys(file ?? own), region);
  if ('fault' in keys) throw new UnusableError(`${nameOf(file, own)} ${keys.fault}: ${remedyOf(file)}`);
  return keys;
}

/**
 * Makes one file for several regions, or adds the regions and the shared secret that it lacks. For a caller who has its folder to himself.
 *
 * @throws UnusableError when the file is there and is none
 */
export function ensureTokenKeys(file: string, regions: readonly RegionId[]): void {
  const set = existsSync(file) ? readTokenKeys(readKeys(file)) : { keys: [], shared: [] };
  if ('fault' in set) throw new UnusableError(`${file} ${set.fault}: ${remedyOf(undefined)}`);
  const signed = new Set(set.keys.filter(isSigningKey).map((key) => key.region));
  const missing = regions.filter((region) => !signed.has(region));
  if (missing.length === 0 && set.shared.length > 0) return;
  const shared = set.shared.length > 0 ? set.shared : [newSecret()];
  replaceFile(file, textOf([...set.keys, ...missing.map(newKey), ...shared]));
}

/** Reads a file of keys for who only signs. @throws UnusableError that says what is wrong */
export function signingKeyIn(file: string): SigningKey {
  const set = readTokenKeys(readKeys(file));
  if ('fault' in set) throw new UnusableError(`${file} ${set.fault}`);
  const key = set.keys.find(isSigningKey);
  if (key === undefined) throw new UnusableError(`${file} holds no private key: it cannot sign`);
  return key;
}

export function newKey(region: RegionId): SigningKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('an Ed25519 key has two halves');
  return { kty: 'OKP', crv: 'Ed25519', kid: `${region}-${randomBytes(4).toString('hex')}`, x, d, region };
}

function newSecret(): SharedSecret {
  return {
    kty: 'oct',
    kid: `shared-${randomBytes(4).toString('hex')}`,
    k: randomBytes(32).toString('base64url'),
  };
}

function readKeys(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnusableError(
      `${file}, the keys that sign tokens, cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const textOf = (keys: readonly object[]): string => `${JSON.stringify({ keys }, null, 2)}\n`;
const nameOf = (file: string | undefined, own: string): string =>
  file === undefined ? own : `TANGAZA_TOKEN_KEYS: ${file}`;
const remedyOf = (file: string | undefined): string =>
  file === undefined
    ? 'restore it, or remove it to make a new one, which ends all tokens of guests'
    : 'give the file that the other regions have, with the private key of this one in it';
