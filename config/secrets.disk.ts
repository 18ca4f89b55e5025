/**
 * The secrets of a region. The first start makes them, and the region's nodes on this host share them in a file that only its owner may
 * read.
 *
 * Nothing here is ever logged. Only `tangaza up` prints the operator token and the demo's key.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeOnce } from './make-once.disk.ts';

const Secrets = z.object({
  /** The bearer token of the control API. */
  operatorToken: z.string().min(16),
  /** Stream keys are derived from it. */
  streamKeySecret: z.string().min(32),
  /** The key of the demo's stream. */
  demoKey: z.string().min(8),
});
export type Secrets = z.infer<typeof Secrets>;

/**
 * Reads the secrets of `dataDir`, and makes them if there are none. When several nodes start at once, one of them makes the file.
 *
 * @throws Error that names the file when it cannot be read as secrets
 */
export function loadSecrets(dataDir: string): Secrets {
  const file = fileIn(dataDir);
  makeOnce(file, JSON.stringify(newSecrets(), null, 2));
  const parsed = Secrets.safeParse(readJson(file));
  if (!parsed.success)
    throw new Error(
      `${file} does not hold the secrets of a region: restore it, or remove it to make new ones.`,
    );
  return parsed.data;
}

/** Gives another region of this host the same secrets, unless it has some. */
export function shareSecrets(secrets: Secrets, dataDir: string): void {
  makeOnce(fileIn(dataDir), JSON.stringify(secrets, null, 2));
}

const fileIn = (dataDir: string): string => join(dataDir, 'secrets.json');

function newSecrets(): Secrets {
  return {
    operatorToken: randomBytes(24).toString('base64url'),
    streamKeySecret: randomBytes(32).toString('base64url'),
    demoKey: `demo_${randomBytes(15).toString('base64url')}`,
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
