/**
 * The secrets of a deployment. In one region the first start makes them, and the region's nodes on this host share them in a file that only
 * its owner may read. Several regions share one file that the operator names.
 *
 * Nothing here is ever logged. Only `tangaza up` prints the operator token and the demo's key.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeOnce } from './make-once.disk.ts';
import { UnusableError } from './unusable.ts';

const Secrets = z.object({
  /** The bearer token of the control API. */
  operatorToken: z.string().min(16),
  /** Stream keys are derived from it. */
  streamKeySecret: z.string().min(32),
  /** The key of the demo's stream. */
  demoKey: z.string().min(8),
});
export type Secrets = z.infer<typeof Secrets>;
/** What a node needs of them. */
export type SharedSecrets = Omit<Secrets, 'demoKey'>;
const SharedFile = Secrets.omit({ demoKey: true });

/**
 * Reads the secrets of `dataDir`, and makes them if there are none. When several nodes start at once, one of them makes the file.
 *
 * @throws UnusableError that names the file when it cannot be read, or not as secrets
 */
export function loadSecrets(dataDir: string): Secrets {
  const file = secretsFileIn(dataDir);
  makeOnce(file, JSON.stringify(newSecrets(), null, 2));
  mustBeReadable(file);
  const parsed = Secrets.safeParse(readJson(file));
  if (parsed.success) return parsed.data;
  throw new UnusableError(
    `${file} does not hold the secrets of a region: restore it, or remove it to make new ones, which ends the API token and the keys of all streams.`,
  );
}

/** One that this user may not read is as good as ever: nobody is told to remove it. */
function mustBeReadable(file: string): void {
  try {
    readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableError(
      `${file}, the secrets of the region, cannot be read (${why}): run as the user who made it, or let this one read it.`,
    );
  }
}

/**
 * Reads the secrets of a node.
 *
 * @param file the one that the operator names, which is never made here: what one region makes is strange to the others
 * @throws UnusableError that says what is wrong with that file
 */
export function loadSharedSecrets(file: string | undefined, dataDir: string): SharedSecrets {
  if (file === undefined) return loadSecrets(dataDir);
  const parsed = SharedFile.safeParse(readJson(file));
  if (parsed.success) return parsed.data;
  throw new UnusableError(
    `TANGAZA_SECRETS: ${file} cannot be read as secrets: {"operatorToken": 16 characters or more, "streamKeySecret": 32 or more}, both random; give the file that the other nodes have`,
  );
}

export const secretsFileIn = (dataDir: string): string => join(dataDir, 'secrets.json');

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
