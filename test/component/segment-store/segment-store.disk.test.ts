/** The disk store under what only real processes and real file systems do: races, crashes, a full disk. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openDiskStore } from '../../../actors/segment-store/segment-store.disk.ts';
import { StoreHealth } from '../../../actors/segment-store/store-health.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../support/ports/store-process.ts');
const key = `race/1/h264-720p/0-${'a'.repeat(16)}`;

const openIn = (
  folder: string,
  statfs?: () => Promise<{ bavail: number; bsize: number }>,
): Promise<SegmentStore> =>
  openDiskStore({
    folder,
    reserveBytes: 1_000_000,
    clock: systemClock,
    metrics: noMetrics,
    ...(statfs === undefined ? {} : { statfs }),
  });

async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-disk-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function start(...args: readonly string[]): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

// Goal: the file system decides between processes. Method: 4 processes, all ready, told at once to put their own bytes.
test('of four processes that put under one key at once exactly one stores', async () => {
  await using folder = await temporaryFolder();
  const racers = Array.from({ length: 4 }, () => start(folder.path, 'race', key));
  for (const { lines } of racers) expect(await lines.next()).toMatchObject({ value: 'ready' });
  for (const { child } of racers) child.stdin?.write('go\n');
  const outcomes = await Promise.all(racers.map(async ({ lines }) => String((await lines.next()).value)));
  expect(outcomes.toSorted()).toEqual(['present', 'present', 'present', 'stored']);
  const winner = racers[outcomes.indexOf('stored')]?.child.pid;
  expect(Buffer.from(await (await openIn(folder.path)).get(key)).toString()).toBe(String(winner));
});

// Goal: no put fails because a retention empties its folder at the same time. Method: the folders are removed again and again, as soon as they are empty.
test('puts are stored while their folders are removed and made, on each level', async () => {
  await using folder = await temporaryFolder();
  const store = await openIn(folder.path);
  const levels = ['churn/1/a', 'churn/1', 'churn'].map((level) => join(folder.path, level));
  const over = new AbortController();
  const removing = (async () => {
    while (!over.signal.aborted) {
      for (const level of levels) await rmdir(level).catch(() => {});
      await setTimeout(1);
    }
  })();
  const outcomes: string[] = [];
  for (let number = 0; number < 500; number += 1) {
    const churned = `churn/1/a/${number}-x`;
    outcomes.push(await store.putIfAbsent(churned, new Uint8Array([1])).catch(String));
    await store.delete([churned]);
  }
  over.abort();
  await removing;
  expect(outcomes.filter((outcome) => outcome !== 'stored')).toEqual([]);
});

// Goal: no half object after a crash. Method: SIGKILL while it puts; all that is listed must be whole.
test('a process that is killed while it puts leaves whole objects only', async () => {
  await using folder = await temporaryFolder();
  const { child, lines } = start(folder.path, 'endless');
  expect(await lines.next()).toMatchObject({ value: 'running' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = await openIn(folder.path);
  const objects = await Array.fromAsync(store.list(''));
  expect(objects.length).toBeGreaterThan(3);
  expect(objects.filter((object) => object.bytes !== 65_536)).toEqual([]);
});

test('what a crash left behind is removed at the next start, what is being written is not', async () => {
  await using folder = await temporaryFolder();
  const temporaries = join(folder.path, '.tmp');
  await mkdir(temporaries);
  await writeFile(join(temporaries, '1-old'), 'half');
  await writeFile(join(temporaries, '2-new'), 'being written');
  const longAgo = Date.now() / 1000 - 61;
  await utimes(join(temporaries, '1-old'), longAgo, longAgo);
  await openIn(folder.path);
  expect(await readdir(temporaries)).toEqual(['2-new']);
});

// Goal: a full disk is refused with a clear error, loses nothing, and works again when there is room. Method: a real
// file system of 1 MB in a mount namespace of its own; `blind` makes the store believe that there is room.
test.each([
  ['falls below the reserve', ''],
  ['is full to the last block', 'blind'],
])('a disk that %s is refused as STORE_FULL, and nothing acknowledged is lost', async (_, how) => {
  await using folder = await temporaryFolder();
  const mount = `mount -t tmpfs -o size=1m none '${folder.path}' && exec "$@"`;
  const node = [process.execPath, script, folder.path, 'fill', how];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', ...node]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ code: 'STORE_FULL', isAllThere: true, afterwards: 'stored' });
  expect(result.listed).toBe(result.acknowledged);
  expect(result.acknowledged).toBeGreaterThan(10);
});

test('free space is asked of the file system again once it was refused', async () => {
  await using folder = await temporaryFolder();
  let blocks = 0;
  const store = await openIn(folder.path, async () => ({ bavail: blocks, bsize: 4096 }));
  await expect(store.putIfAbsent(key, new Uint8Array(10))).rejects.toThrow(
    expect.objectContaining({ code: 'STORE_FULL' }),
  );
  blocks = 1000;
  expect(await store.putIfAbsent(key, new Uint8Array(10))).toBe('stored');
});

test('what is there is present also when the disk is full', async () => {
  await using folder = await temporaryFolder();
  const filled = await openIn(folder.path, async () => ({ bavail: 1000, bsize: 4096 }));
  await filled.putIfAbsent(key, new Uint8Array(10));
  const full = await openIn(folder.path, async () => ({ bavail: 0, bsize: 4096 }));
  expect(await full.putIfAbsent(key, new Uint8Array(10))).toBe('present');
});

test('folders that deleting left empty are removed, the others stay', async () => {
  await using folder = await temporaryFolder();
  const store = await openIn(folder.path);
  await store.putIfAbsent('a/1/x/0-x', new Uint8Array(1));
  await store.putIfAbsent('a/2/x/0-x', new Uint8Array(1));
  await store.delete(['a/1/x/0-x']);
  expect(await readdir(join(folder.path, 'a'))).toEqual(['2']);
  await store.delete(['a/2/x/0-x']);
  expect(await readdir(folder.path)).toEqual(['.tmp']);
});

test.each([
  ['below another object', 'a/1/x', 'a/1/x/0-x'],
  ['above another object', 'a/1/x/0-x', 'a/1/x'],
])('a key that lies %s is a fault of the store, whose keys never do', async (_, first, second) => {
  await using folder = await temporaryFolder();
  const store = await openIn(folder.path);
  await store.putIfAbsent(first, new Uint8Array(1));
  await expect(store.putIfAbsent(second, new Uint8Array(1))).rejects.toThrow(
    expect.objectContaining({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('take that away'),
    }),
  );
});

async function expectUnavailable(store: SegmentStore, said: RegExp): Promise<void> {
  const failed = expect.objectContaining({
    code: 'STORE_UNAVAILABLE',
    retryable: true,
    message: expect.stringMatching(said),
  });
  await expect(store.putIfAbsent('new/1/a/0-x', new Uint8Array(1))).rejects.toThrow(failed);
  await expect(store.get(key)).rejects.toThrow(failed);
  await expect(store.range(key, 0, 1)).rejects.toThrow(failed);
  await expect(Array.fromAsync(store.list(''))).rejects.toThrow(failed);
}

// Goal: an operator's slip under a running node is no missing object and no wrong key (segment-store.disk.ts D2),
// and is mended by mending it.
test.each([
  ['renamed', () => Promise.resolve(), /is gone \(ENOENT\)/],
  ['replaced by a file', (path: string) => writeFile(path, 'oops'), /is a file/],
])('a segment folder that is %s is STORE_UNAVAILABLE until it is back', async (_, replace, said) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'segments');
  const store = await openIn(path);
  await store.putIfAbsent(key, new Uint8Array(10));
  await rename(path, `${path}-away`);
  await replace(path);
  await expectUnavailable(store, said);
  await rm(path, { force: true });
  await rename(`${path}-away`, path);
  expect(await store.get(key)).toHaveLength(10);
  expect(await store.putIfAbsent('new/1/a/0-x', new Uint8Array(1))).toBe('stored');
});

test('a segment folder that was emptied, its hidden files included, is used again', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'segments');
  const store = await openIn(path);
  await store.putIfAbsent(key, new Uint8Array(10));
  await rm(path, { recursive: true });
  await mkdir(path);
  await expect(store.get(key)).rejects.toThrow(expect.objectContaining({ code: 'SEGMENT_NOT_FOUND' }));
  expect(await store.putIfAbsent(key, new Uint8Array(1))).toBe('stored');
});

// Goal: a disk that is unmounted or becomes read-only is no missing object, and nothing is written below its mount point.
// Method: a real file system in a mount namespace of its own.
test('a disk that is unmounted, or read-only, is STORE_UNAVAILABLE, and nothing goes below its mount point', async () => {
  await using folder = await temporaryFolder();
  const mount = `mount -t tmpfs -o size=1m none '${folder.path}' && exec "$@"`;
  const node = [process.execPath, script, folder.path, 'unmount'];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', ...node]);
  expect(JSON.parse(stdout)).toEqual({
    readOnly: { put: 'STORE_UNAVAILABLE', get: 'ok' },
    writable: { put: 'ok', get: 'ok' },
    unmounted: { put: 'STORE_UNAVAILABLE', get: 'STORE_UNAVAILABLE' },
    below: [],
  });
});

// Goal: one line when it begins to fail and one when it works again, whatever the number of tries.
test('a store that fails says so once, and once that it works again', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'segments');
  const lines: LogLine[] = [];
  const logger = recordingLogger(lines);
  const store = await openDiskStore({
    folder: path,
    reserveBytes: 1,
    clock: systemClock,
    metrics: noMetrics,
    logger,
  });
  await rename(path, `${path}-away`);
  for (let attempt = 0; attempt < 5; attempt += 1)
    await store.putIfAbsent(key, new Uint8Array(1)).catch(() => {});
  await rename(`${path}-away`, path);
  for (let attempt = 0; attempt < 2; attempt += 1) await store.putIfAbsent(key, new Uint8Array(1));
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error the segment store fails; what waits for it is tried again',
    'info the segment store works again',
  ]);
  expect(lines[1]).toMatchObject({ fields: { kind: 'write', failures: 5 } });
});

// Goal: `/readyz` and the log say what fails for as long as it does, and a use that works is not named. Method: the file system has room for nothing, then for
// all. A full store finds what is there, and deletes.
test('what a full store cannot do is said until it can', async () => {
  await using folder = await temporaryFolder();
  const health = new StoreHealth({ monotonicMs: () => 0 });
  const lines: LogLine[] = [];
  let blocks = 1000;
  const statfs = async () => ({ bavail: blocks, bsize: 4096 });
  const ports = { clock: systemClock, metrics: noMetrics, health, logger: recordingLogger(lines) };
  const store = await openDiskStore({ folder: folder.path, reserveBytes: 1, statfs, ...ports });
  await store.putIfAbsent(key, new Uint8Array(1));
  expect(health.parts()).toEqual([]);
  blocks = 0;
  const other = key.replace('/0-', '/1-');
  const full = await openDiskStore({ folder: folder.path, reserveBytes: 1, statfs, ...ports });
  await full.putIfAbsent(other, new Uint8Array(1)).catch(() => {});
  await full.get(key);
  const present = await full.putIfAbsent(key, new Uint8Array(1));
  await full.delete([key.replace('/0-', '/2-')]);
  expect({ present, said: lines.length }).toEqual({ present: 'present', said: 1 });
  expect(health.parts()).toEqual([
    {
      name: 'segment store',
      isReady: true,
      detail: expect.stringMatching(/^storing fails, once, 0 s ago: .* has 0 bytes free.*: make room/),
    },
  ]);
  blocks = 1000;
  await full.putIfAbsent(other, new Uint8Array(1));
  expect({ parts: health.parts(), said: lines.length }).toEqual({ parts: [], said: 2 });
});

test('a folder that cannot be made is STORE_UNAVAILABLE', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'file'), '');
  await expect(openIn(join(folder.path, 'file', 'store'))).rejects.toThrow(
    expect.objectContaining({ code: 'STORE_UNAVAILABLE' }),
  );
});
