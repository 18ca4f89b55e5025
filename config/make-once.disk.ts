/** Makes a file that several processes want at once: one of them makes it, and it appears whole. */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Readable by its owner alone. A link fails when the name is taken, so the first one wins and nobody reads half a file. */
export function makeOnce(file: string, text: string): void {
  const own = writeBeside(file, text);
  try {
    linkSync(own, file);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Puts a whole new file in the place of another one. For who has the folder to himself. */
export function replaceFile(file: string, text: string): void {
  renameSync(writeBeside(file, text), file);
}

function writeBeside(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, text, { mode: 0o600 });
  return own;
}

function isAlreadyThere(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
