/** The contract of the segment-store port, held by the folder on disk, by a real S3 server, and by the store in memory that tests use. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDiskStore } from '../../actors/segment-store/segment-store.disk.ts';
import { openS3Store } from '../../actors/segment-store/segment-store.s3.ts';
import type { SegmentStore } from '../../actors/segment-store/segment-store.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { MemorySegmentStore } from '../support/ports/memory-segment-store.ts';
import { startVersityGw } from '../support/ports/stores/versitygw.ts';

interface Subject extends AsyncDisposable {
  /** Two openings of one store, as two nodes of a region have them. */
  readonly stores: readonly [SegmentStore, SegmentStore];
}

async function diskSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-store-'));
  const open = (): Promise<SegmentStore> =>
    openDiskStore({ folder, reserveBytes: 1, clock: systemClock, metrics: noMetrics });
  const stores: [SegmentStore, SegmentStore] = [await open(), await open()];
  return { stores, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function s3Subject(): Promise<Subject> {
  const server = await startVersityGw();
  const open = (): Promise<SegmentStore> =>
    openS3Store({ ...server, bucket: 'segments', clock: systemClock, metrics: noMetrics });
  const stores: [SegmentStore, SegmentStore] = [await open(), await open()];
  return { stores, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const memorySubject = async (): Promise<Subject> => {
  const store = new MemorySegmentStore(new Map(), Date.now);
  return { stores: [store, new MemorySegmentStore(store.objects)], [Symbol.asyncDispose]: async () => {} };
};

const code = (name: string): unknown => expect.objectContaining({ code: name });
const hash = (digit: string): string => digit.repeat(16);
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const keysOf = async (store: SegmentStore, prefix: string): Promise<string[]> =>
  (await Array.fromAsync(store.list(prefix))).map((object) => object.key);

describe.each([
  ['disk', diskSubject],
  ['S3', s3Subject],
  ['memory', memorySubject],
])('the %s store', (_, start) => {
  let subject: Subject;
  let store: SegmentStore;
  let other: SegmentStore;
  beforeAll(async () => {
    subject = await start();
    [store, other] = subject.stores;
  });
  afterAll(() => subject[Symbol.asyncDispose]());

  test('gives back what was put, also through another opening', async () => {
    const body = Uint8Array.from({ length: 300_000 }, (_value, index) => index % 251);
    expect(await store.putIfAbsent('demo/1/h264-720p/0-aaaaaaaaaaaaaaaa', body)).toBe('stored');
    const read = await other.get('demo/1/h264-720p/0-aaaaaaaaaaaaaaaa');
    expect(Buffer.from(read).equals(body)).toBe(true);
  });

  test('keeps the first of two puts under one key and says so', async () => {
    const key = `twice/1/aac-128k/0-${hash('b')}`;
    expect(await store.putIfAbsent(key, bytes(1, 2, 3))).toBe('stored');
    expect(await other.putIfAbsent(key, bytes(4, 5, 6, 7))).toBe('present');
    expect([...(await store.get(key))]).toEqual([1, 2, 3]);
  });

  // Goal: put-if-absent decides a race. Method: 16 puts of different bytes at once through two openings, 20 keys.
  test('of 16 puts at once exactly one is stored, and its bytes are the ones that stay', async () => {
    for (let round = 0; round < 20; round += 1) {
      const key = `race/${round + 1}/h264-360p/0-${hash('c')}`;
      const bodies = Array.from({ length: 16 }, (_value, index) => new Uint8Array(5000).fill(index));
      const outcomes = await Promise.all(
        bodies.map((body, index) => (index % 2 === 0 ? store : other).putIfAbsent(key, body)),
      );
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      const winner = bodies[outcomes.indexOf('stored')] ?? bytes();
      expect(Buffer.from(await store.get(key)).equals(winner)).toBe(true);
    }
  });

  test('clips a range to the object', async () => {
    const key = `range/1/aac-128k/0-${hash('d')}`;
    await store.putIfAbsent(key, bytes(10, 11, 12, 13, 14));
    expect([...(await store.range(key, 1, 3))]).toEqual([11, 12]);
    expect([...(await store.range(key, 4, 5))]).toEqual([14]);
    expect([...(await store.range(key, 3, 1000))]).toEqual([13, 14]);
    expect([...(await store.range(key, 0, 5))]).toEqual([10, 11, 12, 13, 14]);
  });

  test.each([
    ['at the end', 5, 6],
    ['behind the end', 9, 12],
    ['empty', 2, 2],
    ['backwards', 3, 1],
    ['negative', -1, 2],
    ['of fractions', 0.5, 2],
  ])('refuses a range that is %s', async (_name, first, end) => {
    const key = `ranges/1/aac-128k/0-${hash('e')}`;
    await store.putIfAbsent(key, bytes(10, 11, 12, 13, 14));
    await expect(store.range(key, first, end)).rejects.toThrow(code('RANGE_NOT_SATISFIABLE'));
  });

  test('says that an object is not there, also where others are', async () => {
    await store.putIfAbsent(`absent/1/aac-128k/0-${hash('f')}`, bytes(1));
    await expect(store.get(`absent/1/aac-128k/1024-${hash('f')}`)).rejects.toThrow(code('SEGMENT_NOT_FOUND'));
    await expect(store.get(`absent/2/aac-128k/0-${hash('f')}`)).rejects.toThrow(code('SEGMENT_NOT_FOUND'));
    await expect(store.get('absent/1')).rejects.toThrow(code('SEGMENT_NOT_FOUND'));
    await expect(store.get(`absent/1/aac-128k/0-${hash('f')}/below`)).rejects.toThrow(
      code('SEGMENT_NOT_FOUND'),
    );
    await expect(store.range(`absent/2/aac-128k/0-${hash('f')}`, 0, 1)).rejects.toThrow(
      code('SEGMENT_NOT_FOUND'),
    );
  });

  test('lists by prefix in the order of whole keys, with sizes and times', async () => {
    const keys = ['list/2/a/1-x', 'list/10/a/0-x', 'list/2/a-b/0-x', 'list/2/a/0-x', 'list-b/1/a/0-x'];
    for (const [index, key] of keys.entries()) await store.putIfAbsent(key, new Uint8Array(index + 1));
    const sorted = ['list/10/a/0-x', 'list/2/a-b/0-x', 'list/2/a/0-x', 'list/2/a/1-x'];
    expect(await keysOf(store, 'list/')).toEqual(sorted);
    expect(await keysOf(store, 'list')).toEqual(['list-b/1/a/0-x', ...sorted]);
    expect(await keysOf(store, 'list/2/a')).toEqual(sorted.slice(1));
    expect(await keysOf(store, 'list/2/a/')).toEqual(sorted.slice(2));
    expect(await keysOf(store, 'list/2/a/1')).toEqual(['list/2/a/1-x']);
    expect(await keysOf(store, 'list/3/')).toEqual([]);
    const [first] = await Array.fromAsync(store.list('list/10/'));
    expect(first).toMatchObject({ key: 'list/10/a/0-x', bytes: 2 });
    expect(Math.abs((first?.storedAtMs ?? 0) - Date.now())).toBeLessThan(3_600_000);
  });

  // Goal: pages are joined without a loss or a double. Method: more objects than two pages of either store's size.
  test('lists and deletes more than one page of objects', async () => {
    const keys = Array.from(
      { length: 1100 },
      (_value, index) => `many/1/aac-128k/${String(index).padStart(5, '0')}-x`,
    );
    for (let first = 0; first < keys.length; first += 100) {
      await Promise.all(keys.slice(first, first + 100).map((key) => store.putIfAbsent(key, bytes(1))));
    }
    expect(await keysOf(store, 'many/')).toEqual(keys);
    await store.delete(keys);
    expect(await keysOf(store, 'many/')).toEqual([]);
  });

  test('deletes what is named, and no error is made of what is not there', async () => {
    const keys = ['del/1/a/0-x', 'del/1/a/1-x', 'del/1/b/0-x'];
    for (const key of keys) await store.putIfAbsent(key, bytes(1));
    await store.delete(['del/1/a/0-x', 'del/1/a/7-x', 'del/9/a/0-x', 'del/1/b/0-x']);
    expect(await keysOf(store, 'del/')).toEqual(['del/1/a/1-x']);
    await store.delete([]);
    expect(await store.putIfAbsent('del/1/b/0-x', bytes(2))).toBe('stored');
  });

  test('takes puts into a folder that is being emptied', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_value, index) => {
        const key = `churn/1/a/${index}-x`;
        await store.putIfAbsent(key, bytes(index));
        await other.delete([key]);
        expect(await store.putIfAbsent(key, bytes(index + 1))).toBe('stored');
        expect([...(await other.get(key))]).toEqual([index + 1]);
      }),
    );
  });

  test.each([
    ['a path upwards', '../etc/passwd'],
    ['a path upwards inside', 'demo/../../x'],
    ['an absolute path', '/etc/passwd'],
    ['a hidden name', 'demo/.tmp/x'],
    ['an empty part', 'demo//x'],
    ['a slash at the end', 'demo/x/'],
    ['nothing', ''],
    ['a zero byte', 'demo/x\0'],
    ['a backslash', 'demo\\..\\x'],
    ['capitals', 'Demo/x'],
    ['a line break', 'demo/x\n'],
    ['a name that is too long', `demo/${'x'.repeat(129)}`],
    ['a path that is too deep', Array.from({ length: 9 }, () => 'x').join('/')],
  ])('refuses %s as a key', async (_name, key) => {
    await expect(store.putIfAbsent(key, bytes(1))).rejects.toThrow(code('BAD_REQUEST'));
    await expect(store.get(key)).rejects.toThrow(code('BAD_REQUEST'));
    await expect(store.range(key, 0, 1)).rejects.toThrow(code('BAD_REQUEST'));
    await expect(store.delete([key])).rejects.toThrow(code('BAD_REQUEST'));
  });

  test('refuses a prefix that leaves the store', async () => {
    await expect(Array.fromAsync(store.list('../'))).rejects.toThrow(code('BAD_REQUEST'));
  });

  test('does nothing for a caller that has given up', async () => {
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(store.putIfAbsent('gone/1/a/0-x', bytes(1), gone)).rejects.toThrow('gone');
    await expect(store.get('gone/1/a/0-x', gone)).rejects.toThrow('gone');
    expect(await keysOf(store, 'gone/')).toEqual([]);
  });

  test('is unavailable once it is closed', async () => {
    const [, closed] = subject.stores;
    await closed.close();
    await expect(closed.get('demo/1/h264-720p/0-aaaaaaaaaaaaaaaa')).rejects.toThrow(
      code('STORE_UNAVAILABLE'),
    );
    await closed.close();
  });
});
