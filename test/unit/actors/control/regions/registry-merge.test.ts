import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, loserOf, mustBeFromNow } from '../../../../../actors/control/regions/registry-merge.ts';
import type { RegistryChange, StreamState } from '../../../../../cluster/contract/regions/registry.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';

const id = StreamId.parse('one');
const made: StreamState = {
  kind: 'stream',
  id,
  afterRemovalMs: 0,
  created: { atMs: 10, keyHash: 'first' },
  title: { value: 'first title', atMs: 10 },
  ladder: { value: 'default', atMs: 10 },
  key: { hash: 'first', salt: 'salt', atMs: 10 },
  updatedAtMs: 10,
};
const removed = (atMs: number): RegistryChange => ({ kind: 'removed', id, atMs, keyHash: 'first' });

// Few times and texts, so that many are equal.
const time = fc.nat(4);
const text = fc.constantFrom('a', 'b', 'c');
const value = fc.record({ value: text, atMs: time });
const change: fc.Arbitrary<RegistryChange> = fc.oneof(
  fc.record({
    kind: fc.constant('stream' as const),
    id: fc.constant(id),
    afterRemovalMs: fc.constantFrom(0, 2),
    created: fc.record({ atMs: time, keyHash: text }),
    title: value,
    ladder: value,
    key: fc.record({ hash: text, atMs: time }).map((key) => ({ ...key, salt: `salt of ${key.hash}` })),
    updatedAtMs: time,
  }),
  fc.record({ kind: fc.constant('removed' as const), id: fc.constant(id), atMs: time, keyHash: text }),
);
const joinedAll = (changes: readonly RegistryChange[]) => changes.reduce((one, other) => joined(one, other));

describe('what two regions know of a stream, joined', () => {
  test('is the same in whatever order it comes, and however often', () => {
    const changes = fc.array(change, { minLength: 1, maxLength: 8 });
    const orders = changes.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length }),
      ),
    );
    fc.assert(
      fc.property(orders, ([all, again]) => {
        expect(joinedAll(again)).toEqual(joinedAll(all));
      }),
      { numRuns: 2000 },
    );
  });

  test('is the same whether regions tell each other single changes or what they have joined so far', () => {
    const parts = fc.tuple(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.array(change, { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(parts, ([one, other]) => {
        const here = joined(joinedAll(one), joinedAll(other));
        expect({ here }).toEqual({ here: joinedAll([...other, ...one]) });
      }),
      { numRuns: 2000 },
    );
  });

  test('of two streams of one id, made during a cut, is the earlier one with all that is its own', () => {
    const later: StreamState = {
      ...made,
      created: { atMs: 11, keyHash: 'second' },
      title: { value: 'second title', atMs: 99 },
      key: { hash: 'second', salt: 'other', atMs: 99 },
    };
    expect(joined(later, made)).toEqual(made);
    expect({ one: loserOf(later, made), other: loserOf(made, later) }).toEqual({ one: later, other: later });
  });

  test.each<[string, RegistryChange]>([
    ['a key that was changed', { ...made, key: { hash: 'second', salt: 'other', atMs: 99 } }],
    ['a removal', removed(20)],
    [
      'a stream that was made after a removal',
      {
        ...made,
        afterRemovalMs: 20,
        created: { atMs: 21, keyHash: 'second' },
        key: { hash: 'second', salt: 'other', atMs: 21 },
      },
    ],
    ['the same stream', made],
  ])('is no loss of an id with %s', (_what, other) => {
    expect(loserOf(made, other)).toBeUndefined();
    expect(loserOf(other, made)).toBeUndefined();
  });

  test('has the title of one region and the key of the other, where each was changed last', () => {
    const titled = { ...made, title: { value: 'new title', atMs: 20 }, updatedAtMs: 20 };
    const rotated = { ...made, key: { hash: 'new', salt: 'new', atMs: 30 }, updatedAtMs: 30 };
    expect(joined(titled, rotated)).toEqual({
      ...made,
      title: titled.title,
      key: rotated.key,
      updatedAtMs: 30,
    });
  });

  test('is removed where one region removed it and the other changed its key later, not knowing of it', () => {
    const rotated = { ...made, key: { hash: 'new', salt: 'new', atMs: 99 } };
    expect(joined(removed(20), rotated)).toEqual(removed(20));
  });

  test('is there where it was made anew after that removal, and gone when it was removed once more', () => {
    const anew = { ...made, afterRemovalMs: 20, created: { atMs: 30, keyHash: 'new' } };
    expect(joined(removed(20), anew)).toEqual(anew);
    expect(joined(made, anew)).toEqual(anew);
    expect(joined(removed(40), anew)).toEqual(removed(40));
  });
});

test('a time ten minutes ahead may be a clock that is wrong; one further ahead is refused', () => {
  expect(() => mustBeFromNow([made, removed(600_010)], 10)).not.toThrow();
  expect(() => mustBeFromNow([made, removed(600_011)], 10)).toThrow(/set the clocks/);
  const ahead = { ...made, key: { ...made.key, atMs: 600_011 } };
  expect(() => mustBeFromNow([ahead], 10)).toThrow(/The stream one was changed at 1970-01-01T00:10:00/);
});
