/**
 * Secrets of a region: made on first start, kept in a file only its owner may read, shared by its nodes on this host.
 *
 * Nothing here is ever logged; the operator token and the demo's key are printed by `tangaza up` alone.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Secrets = z.object({
  /** Bearer token of the control API. */
  operatorToken: z.string().min(16),
  /** What stream keys are derived from. */
  streamKeySecret: z.string().min(32),
  /** Key of the demo's stream. */
  demoKey: z.string().min(8),
});
export type Secrets = z.infer<typeof Secrets>;

/**
 * Reads the secrets of `dataDir`, making them if there are none. Of several nodes that start at once, one makes them:
 * the file appears whole, by a link that fails when the name is taken.
 *
 * @throws Error that names the file when it cannot be read as secrets
 */
export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, 'secrets.json');
  mkdirSync(dataDir, { recursive: true });
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, JSON.stringify(newSecrets(), null, 2), { mode: 0o600 });
  try {
    linkSync(own, file);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    rmSync(own, { force: true });
  }
  const parsed = Secrets.safeParse(readJson(file));
  if (!parsed.success)
    throw new Error(
      `${file} does not hold the secrets of a region: restore it, or remove it to make new ones.`,
    );
  return parsed.data;
}

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

function isAlreadyThere(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
