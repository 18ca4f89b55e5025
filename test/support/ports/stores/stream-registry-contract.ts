/** The contract of the stream-registry port, for each of its implementations. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StreamEntry, StreamRegistry } from '../../../../actors/control/stream-registry.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';

export interface Subject extends AsyncDisposable {
  /** Two openings of one registry, as two nodes have them. */
  readonly registries: readonly [StreamRegistry, StreamRegistry];
}

const idOf = (id: string) => StreamId.parse(id);
const stream = (id: string, nowMs: number) => ({
  id: idOf(id),
  title: `title of ${id}`,
  ladder: 'default',
  keyHash: `hash-${id}`,
  keySalt: `salt-${id}`,
  nowMs,
});
const dayMs = 86_400_000;
const request = (fingerprint: string, key = 'abc') => ({ request: { key, fingerprint } });
const code = (name: string): unknown => expect.objectContaining({ code: name });

/** @param start gives an empty registry */
export function streamRegistryContract(name: string, start: () => Promise<Subject>): void {
  describe(`the stream registry in ${name}`, () => {
    let subject: Subject;
    let registry: StreamRegistry;
    let other: StreamRegistry;
    beforeEach(async () => {
      subject = await start();
      [registry, other] = subject.registries;
    });
    afterEach(() => subject[Symbol.asyncDispose]());

    test('finds a stream by its id and by its key, and by neither once it is removed', async () => {
      const made = await registry.create(stream('one', 1));
      const entry = { id: 'one', title: 'title of one', ladder: 'default', createdAtMs: 1, updatedAtMs: 1 };
      expect(made).toEqual({ entry, keySalt: 'salt-one' });
      expect(await registry.get(idOf('one'))).toEqual(entry);
      expect(await registry.findByKeyHash('hash-one')).toEqual(entry);
      expect(await registry.remove(idOf('one'), 2)).toBe(true);
      expect(await registry.remove(idOf('one'), 2)).toBe(false);
      expect(await registry.get(idOf('one'))).toBeUndefined();
      expect(await registry.findByKeyHash('hash-one')).toBeUndefined();
    });

    test('knows nothing of a stream that was never there', async () => {
      expect(await registry.get(idOf('none'))).toBeUndefined();
      expect(await registry.findByKeyHash('none')).toBeUndefined();
      expect(await registry.removed(idOf('none'), 1)).toBeUndefined();
      expect(await registry.removedWithKeyHash('none', 1)).toBeUndefined();
      expect(await registry.update(idOf('none'), { title: 'new' }, 1)).toBeUndefined();
      expect(await registry.rotateKey(idOf('none'), { keyHash: 'h', keySalt: 's' }, 1)).toBeUndefined();
      expect(await registry.list(10)).toEqual([]);
    });

    test('remembers a removed id and its key for 30 days, refuses them when taken again, and forgets them then', async () => {
      const id = idOf('one');
      const removedAtMs = 100 * dayMs;
      const removed = { id, removedAtMs };
      await registry.create(stream('one', 1));
      await registry.remove(id, removedAtMs);
      expect(await other.removed(id, removedAtMs + 29 * dayMs)).toEqual(removed);
      expect(await registry.removedWithKeyHash('hash-one', removedAtMs + 29 * dayMs)).toEqual(removed);
      expect(await registry.removedSince(removedAtMs)).toEqual([removed]);
      expect(await registry.removedSince(removedAtMs + 1)).toEqual([]);
      await expect(registry.create(stream('one', removedAtMs + 29 * dayMs))).rejects.toEqual(
        code('CONFLICT'),
      );
      expect(await registry.removed(id, removedAtMs + 30 * dayMs)).toBeUndefined();
      expect(await registry.removedWithKeyHash('hash-one', removedAtMs + 30 * dayMs)).toBeUndefined();
      expect((await registry.create(stream('one', removedAtMs + 30 * dayMs))).entry.id).toBe('one');
    });

    test('gives a stream that may revive its id again: it is no removed one any more', async () => {
      const id = idOf('one');
      await registry.create(stream('one', 1));
      await registry.remove(id, 2);
      expect((await registry.create({ ...stream('one', 3), mayRevive: true })).entry.createdAtMs).toBe(3);
      expect(await registry.removed(id, 4)).toBeUndefined();
      expect(await registry.removedSince(0)).toEqual([]);
    });

    test('forgets what was removed 30 days ago with the next removal', async () => {
      for (const [id, nowMs] of [
        ['old', 1],
        ['new', 40 * dayMs],
      ] as const) {
        await registry.create(stream(id, nowMs));
        await registry.remove(idOf(id), nowMs);
      }
      expect((await registry.removedSince(0)).map(({ id }) => id)).toEqual(['new']);
    });

    test('gives an id once, whichever node asks', async () => {
      await registry.create(stream('one', 1));
      const again = other.create({ ...stream('one', 2), keyHash: 'other' });
      await expect(again).rejects.toEqual(code('CONFLICT'));
    });

    test('of many that take an id at once, gives it to one', async () => {
      const asked = Array.from({ length: 20 }, (__, index) =>
        (index % 2 === 0 ? registry : other).create({ ...stream('one', 1), keyHash: `hash-${index}` }),
      );
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('makes one stream of the same request and gives its salt again, for a day', async () => {
      const first = await registry.create({ ...stream('one', 1), ...request('same') });
      expect(await other.create({ ...stream('two', 2), ...request('same') })).toEqual(first);
      const nextDay = await registry.create({ ...stream('three', dayMs + 2), ...request('other') });
      expect(nextDay.entry.id).toBe('three');
    });

    // As it once was: the key alone counted, and another title was thrown away without a word.
    test('takes an idempotency key for one request of one operation', async () => {
      const reused = code('IDEMPOTENCY_KEY_REUSED');
      await registry.create({ ...stream('one', 1), ...request('create one') });
      const another = registry.create({ ...stream('two', 2), ...request('create two') });
      await expect(another).rejects.toEqual(reused);
      await expect(registry.claim(request('rotate one').request, 3)).rejects.toEqual(reused);
    });

    test('keeps the reply to a request for a day; until it is there the request is under way, for 10 s', async () => {
      const rotate = request('rotate one', 'def').request;
      expect(await registry.claim(rotate, 4)).toEqual({ kind: 'new' });
      expect(await other.claim(rotate, 10_003)).toEqual({ kind: 'underWay' });
      expect(await other.claim(rotate, 10_004)).toEqual({ kind: 'new' });
      await other.settle(rotate, 10_005, 'the reply');
      expect(await registry.claim(rotate, dayMs)).toEqual({ kind: 'given', reply: 'the reply' });
      expect(await registry.claim(rotate, dayMs + 10_006)).toEqual({ kind: 'new' });
      await registry.settle(rotate, dayMs + 10_006, undefined);
      expect(await registry.claim(rotate, dayMs + 10_007)).toEqual({ kind: 'new' });
    });

    test('a request that made its stream and was never answered finds that stream when it is tried again', async () => {
      const { request: made } = request('create one');
      await registry.claim(made, 1);
      const first = await registry.create({ ...stream('one', 2), request: made });
      expect(await other.claim(made, 10_002)).toEqual({ kind: 'new' });
      expect(await other.create({ ...stream('two', 10_003), request: made })).toEqual(first);
    });

    test('ends an old key when a new one is made', async () => {
      await registry.create(stream('one', 1));
      const made = await registry.rotateKey(idOf('one'), { keyHash: 'new', keySalt: 'new' }, 2);
      expect(made).toMatchObject({ id: 'one', updatedAtMs: 2 });
      expect(await other.findByKeyHash('hash-one')).toBeUndefined();
      expect((await other.findByKeyHash('new'))?.id).toBe('one');
    });

    test('pages from the newest to the oldest and misses none', async () => {
      for (let i = 0; i < 7; i += 1) await registry.create(stream(`s${i}`, i < 4 ? 5 : i));
      const seen: string[] = [];
      let after: StreamEntry | undefined;
      for (let page = await registry.list(3); page.length > 0; page = await registry.list(3, after)) {
        seen.push(...page.map(({ id }) => id));
        after = page.at(-1);
        // As it once was: a cursor ended with its row, and the next page was empty.
        if (after?.id === 's3') await registry.remove(after.id, 9);
      }
      expect(seen).toEqual(['s6', 's5', 's3', 's2', 's1', 's0', 's4']);
    });

    test('shows one node what another wrote', async () => {
      await registry.create(stream('one', 1));
      await registry.update(idOf('one'), { title: 'changed' }, 9);
      expect(await other.get(idOf('one'))).toMatchObject({
        title: 'changed',
        ladder: 'default',
        createdAtMs: 1,
        updatedAtMs: 9,
      });
    });
  });
}
