import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStreamRegistry } from '../../../actors/control/stream-registry.sqlite.ts';
import type { StreamEntry, StreamRegistry } from '../../../actors/control/stream-registry.ts';
import { StreamId } from '../../../cluster/model/ids.ts';

const stream = (id: string, nowMs: number) => ({
  id: StreamId.parse(id),
  title: `title of ${id}`,
  ladder: 'default',
  keyHash: `hash-${id}`,
  keySalt: `salt-${id}`,
  nowMs,
});

function openTemporary(): { file: string; registry: StreamRegistry } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-registry-'));
  const file = join(folder, 'tangaza.sqlite');
  const registry = openSqliteStreamRegistry(file);
  return {
    file,
    registry,
    [Symbol.dispose]: () => {
      registry.close();
      rmSync(folder, { recursive: true });
    },
  };
}

test('a stream is found by its id and by its key, and by neither once it is removed', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  registry.create(stream('one', 1));
  expect(registry.get(StreamId.parse('one'))?.title).toBe('title of one');
  expect(registry.findByKeyHash('hash-one')?.id).toBe('one');
  expect(registry.remove(StreamId.parse('one'), 2)).toBe(true);
  expect(registry.remove(StreamId.parse('one'), 2)).toBe(false);
  expect(registry.get(StreamId.parse('one'))).toBeUndefined();
  expect(registry.findByKeyHash('hash-one')).toBeUndefined();
});

test('a removed id and its key are remembered for 30 days, refused when taken again, and forgotten then', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  const id = StreamId.parse('one');
  const dayMs = 86_400_000;
  const removedAtMs = 100 * dayMs;
  registry.create(stream('one', 1));
  registry.remove(id, removedAtMs);
  const removed = { id, removedAtMs };
  expect(registry.removed(id, removedAtMs + 29 * dayMs)).toEqual(removed);
  expect(registry.removedWithKeyHash('hash-one', removedAtMs + 29 * dayMs)).toEqual(removed);
  expect(registry.removedSince(removedAtMs)).toEqual([removed]);
  expect(registry.removedSince(removedAtMs + 1)).toEqual([]);
  expect(() => registry.create(stream('one', removedAtMs + 29 * dayMs))).toThrow(
    /There was a stream one, removed on 1970-04-11: its id stays taken until 1970-05-11/,
  );
  expect(registry.removed(id, removedAtMs + 30 * dayMs)).toBeUndefined();
  expect(registry.removedWithKeyHash('hash-one', removedAtMs + 30 * dayMs)).toBeUndefined();
  expect(registry.create(stream('one', removedAtMs + 30 * dayMs)).entry.id).toBe('one');
});

test('a stream that may revive takes its id again, and is no removed one any more', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  const id = StreamId.parse('one');
  registry.create(stream('one', 1));
  registry.remove(id, 2);
  expect(registry.create({ ...stream('one', 3), mayRevive: true }).entry.createdAtMs).toBe(3);
  expect(registry.removed(id, 4)).toBeUndefined();
  expect(registry.removedSince(0)).toEqual([]);
});

test('what was removed 30 days ago goes with the next removal', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  for (const [id, nowMs] of [
    ['old', 1],
    ['new', 40 * 86_400_000],
  ] as const) {
    registry.create(stream(id, nowMs));
    registry.remove(StreamId.parse(id), nowMs);
  }
  expect(registry.removedSince(0).map(({ id }) => id)).toEqual(['new']);
});

test('an id is taken once', () => {
  using temporary = openTemporary();
  temporary.registry.create(stream('one', 1));
  expect(() => temporary.registry.create({ ...stream('one', 2), keyHash: 'other' })).toThrow(/already/);
});

const request = (fingerprint: string, key = 'abc') => ({ request: { key, fingerprint } });
const reused = expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' });

test('the same request makes one stream and gives its salt again, for a day', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  const first = registry.create({ ...stream('one', 1), ...request('same') });
  const again = registry.create({ ...stream('two', 2), ...request('same') });
  expect(again).toEqual(first);
  const nextDay = registry.create({ ...stream('three', 86_400_002), ...request('other') });
  expect(nextDay.entry.id).toBe('three');
});

// As it once was: the key alone counted, and another title was thrown away without a word.
test('an idempotency key stands for one request of one operation', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  registry.create({ ...stream('one', 1), ...request('create one') });
  expect(() => registry.create({ ...stream('two', 2), ...request('create two') })).toThrow(reused);
  expect(() => registry.isRepeated(request('rotate one').request, 3)).toThrow(reused);
  const rotate = request('rotate one', 'def').request;
  expect({ within: registry.isRepeated(rotate, 4), after: registry.isRepeated(rotate, 5) }).toEqual({
    within: false,
    after: true,
  });
  expect(registry.isRepeated(rotate, 86_400_005)).toBe(false);
});

test('a file of a version that kept no fingerprints is taken on with its keys', () => {
  using temporary = openTemporary();
  const old = new DatabaseSync(temporary.file);
  old.exec('ALTER TABLE idempotency DROP COLUMN fingerprint');
  old.exec("INSERT INTO idempotency (key, streamId, atMs) VALUES ('abc', 'one', 1)");
  old.close();
  temporary.registry.create(stream('one', 1));
  const registry = openSqliteStreamRegistry(temporary.file);
  expect(registry.create({ ...stream('two', 2), ...request('any') }).entry.id).toBe('one');
  registry.close();
});

test('an old key ends when a new one is made', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  registry.create(stream('one', 1));
  registry.rotateKey(StreamId.parse('one'), { keyHash: 'new', keySalt: 'new' }, 2);
  expect(registry.findByKeyHash('hash-one')).toBeUndefined();
  expect(registry.findByKeyHash('new')?.id).toBe('one');
});

test('pages go from the newest to the oldest and miss none', () => {
  using temporary = openTemporary();
  const { registry } = temporary;
  for (let i = 0; i < 7; i += 1) registry.create(stream(`s${i}`, i < 4 ? 5 : i));
  const seen: string[] = [];
  let after: StreamEntry | undefined;
  for (let page = registry.list(3); page.length > 0; page = registry.list(3, after)) {
    seen.push(...page.map(({ id }) => id));
    after = page.at(-1);
    // As it once was: a cursor ended with its row, and the next page was empty.
    if (after?.id === 's3') registry.remove(after.id, 9);
  }
  expect(seen).toEqual(['s6', 's5', 's3', 's2', 's1', 's0', 's4']);
});

test('what one process writes, another reads', () => {
  using temporary = openTemporary();
  const second = openSqliteStreamRegistry(temporary.file);
  temporary.registry.create(stream('one', 1));
  temporary.registry.update(StreamId.parse('one'), { title: 'changed' }, 9);
  expect(second.get(StreamId.parse('one'))).toMatchObject({
    title: 'changed',
    ladder: 'default',
    updatedAtMs: 9,
  });
  second.close();
});
