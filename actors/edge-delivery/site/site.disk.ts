/**
 * Keeps the site of this checkout on disk. It is built once for each state of its sources, by a process of its own.
 *
 * Later nodes and later starts read what the first one has built, as the file's name is a hash of everything that goes into it. Nodes that
 * start at once build it once: a node that finds another one building waits for its file. Where node_modules is not writable, each node
 * builds into a temporary folder.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deserialize } from 'node:v8';
import type { Clock } from '../../../cluster/time/clock.ts';
import { bundledPackages, sourceFolders } from './site-sources.ts';
import { Site } from './site.ts';

const builder = join(import.meta.dirname, 'build-site.rolldown.ts');
const cache = join(import.meta.dirname, '../../../node_modules/.cache/tangaza');
const buildMs = 120_000;
/** How often a waiting node looks for the file. */
const lookMs = 250;
/** How many sites of other states of the sources are kept, newest first. */
const keptSites = 4;

/** @throws Error with the builder's message when the site cannot be built */
export async function loadSite(clock: Clock, signal: AbortSignal): Promise<Site> {
  const file = join(cache, `site-${await keyOfSources()}.bin`);
  return (await readSite(file)) ?? buildInTurn(file, clock, signal);
}

/** Builds the site, unless another process that began earlier has built it meanwhile. */
async function buildInTurn(file: string, clock: Clock, signal: AbortSignal): Promise<Site> {
  const lock = `${file}.lock`;
  await mkdir(cache, { recursive: true }).catch(() => {}); // in that case there is no lock either
  const untilMs = clock.monotonicMs() + buildMs;
  while (!(await mayBuild(lock, clock)) && clock.monotonicMs() < untilMs) await clock.sleep(lookMs, signal);
  try {
    return (await readSite(file)) ?? (await buildAndKeep(file, signal)) ?? (await buildElsewhere(signal));
  } finally {
    await rm(lock, { force: true }).catch(() => {}); // as above
  }
}

/** Takes the lock, unless a living process has it. */
async function mayBuild(lock: string, clock: Clock): Promise<boolean> {
  const holder = await readHolder(lock);
  if (holder !== undefined && !isNamesake(holder, self(clock)) && isAlive(holder.pid)) return false;
  if (holder !== undefined) await rm(lock, { force: true });
  return writeFile(lock, String(process.pid), { flag: 'wx' }).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'EEXIST'),
  );
}

/** A process, and when it took the lock; for our own process, when it began. */
interface Holder {
  readonly pid: number;
  readonly atMs: number;
}

/** Undefined when nobody has the lock. */
async function readHolder(lock: string): Promise<Holder | undefined> {
  try {
    return { pid: Number(await readFile(lock, 'utf8')), atMs: (await stat(lock)).mtimeMs };
  } catch {
    return undefined;
  }
}

const self = (clock: Clock): Holder => ({ pid: process.pid, atMs: clock.utcMs() - process.uptime() * 1000 });

/**
 * Says whether the lock belongs to an earlier process that had our pid and was killed. In a restarted container the pids are the same, so
 * each start would otherwise wait for itself.
 */
export function isNamesake(holder: Holder, own: Holder): boolean {
  return holder.pid === own.pid && holder.atMs < own.atMs;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Undefined when the folder is not writable, or the build fails. */
async function buildAndKeep(file: string, signal: AbortSignal): Promise<Site | undefined> {
  const site = await buildInto(file, signal).then(
    () => readSite(file),
    () => undefined,
  );
  if (site !== undefined) await forgetOthers().catch(() => {}); // another process does the same
  return site;
}

/** Undefined when the file does not exist or cannot be read. */
async function readSite(file: string): Promise<Site | undefined> {
  try {
    return Site.parse(deserialize(await readFile(file)));
  } catch {
    return undefined;
  }
}

async function buildInto(file: string, signal: AbortSignal): Promise<void> {
  await promisify(execFile)(process.execPath, [builder, file], {
    timeout: buildMs,
    killSignal: 'SIGKILL',
    signal,
  });
}

async function buildElsewhere(signal: AbortSignal): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-site-'));
  try {
    const file = join(folder, 'site.bin');
    await buildInto(file, signal);
    return Site.parse(deserialize(await readFile(file)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function keyOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of bundledPackages) {
    const manifest = findPackageJSON(name, import.meta.url);
    hash.update(manifest === undefined ? name : await readFile(manifest));
  }
  for (const folder of sourceFolders) {
    for (const name of (await filesIn(folder)).toSorted(byCode)) {
      hash.update(`\n${name}\n`).update(await readFile(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const byCode = (left: string, right: string): number => (left < right ? -1 : 1);

async function forgetOthers(): Promise<void> {
  const files = (await readdir(cache))
    .filter((name) => name.endsWith('.bin'))
    .map((name) => join(cache, name));
  const aged = await Promise.all(files.map(async (file) => ({ file, ms: (await stat(file)).mtimeMs })));
  const old = aged.toSorted((left, right) => right.ms - left.ms).slice(keptSites);
  await Promise.all(old.map(({ file }) => rm(file, { force: true })));
}
