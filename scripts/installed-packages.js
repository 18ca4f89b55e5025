/**
 * Checks whether node_modules holds what package-lock.json says. Exit code 0 if so, 1 if not.
 *
 * npm records what it installed in node_modules/.package-lock.json. Comparing the two files saves asking npm and the registry. It is plain
 * JavaScript, as any Node >= 18 may run it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '.';
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;

/** An optional package may be absent, but not the one made for this platform. Without `os` or `cpu` it is part of another package. */
function mayBeAbsent({ optional, os, cpu, libc }) {
  if (optional !== true) return false;
  const isForHere = [os?.includes(process.platform), cpu?.includes(process.arch), libc?.includes('glibc')];
  return isForHere.includes(false) || (os === undefined && cpu === undefined);
}

function isInstalled(path, wanted, installed) {
  if (installed[path] === undefined && mayBeAbsent(wanted)) return true;
  return installed[path]?.version === wanted.version && existsSync(join(root, path, 'package.json'));
}

function isComplete() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const installed = read('node_modules/.package-lock.json');
  return Object.entries(read('package-lock.json')).every(
    ([path, wanted]) => path === '' || isInstalled(path, wanted, installed),
  );
}

process.exit(isComplete() ? 0 : 1);
