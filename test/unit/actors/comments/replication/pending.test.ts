/** Which comments wait to be seen in a second data centre, and what is read for them (A6). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Pending,
  pendingLimits,
  type Acknowledged,
  type DueRead,
} from '../../../../../actors/comments/replication/pending.ts';
import { CommentId, StreamId } from '../../../../../cluster/model/ids.ts';
import { storedComment } from '../../../../support/audience/written.ts';

const t0 = 1_796_000_040_000;
const minuteMs = 60_000;

function comment(afterMs: number, stream = 'news'): Acknowledged {
  const row = storedComment(t0 + afterMs, { streamId: StreamId.parse(stream) });
  const { id, streamId, clientId, author, createdAtMs } = row;
  return { id, streamId, clientId, authorId: author.id, createdAtMs };
}
const idsOf = (comments: readonly Acknowledged[]): ReadonlySet<CommentId> =>
  new Set(comments.map(({ id }) => id));
const none: ReadonlySet<CommentId> = new Set();
const spansOf = (reads: readonly DueRead[]) =>
  reads.map(({ fromMs, toMs, ids }) => ({ fromMs: fromMs - t0, toMs: toMs - t0, of: ids.length }));

test('the data centre that acknowledged it is not asked, and one read in another one makes it replicated', () => {
  const pending = new Pending();
  const one = comment(0);
  expect(pending.add(one, 'r1', 0)).toBe('pending');
  const [read] = pending.due('r2', 0);
  expect({ own: pending.due('r1', 0), other: read }).toEqual({
    own: [],
    other: { dataCentre: 'r2', streamId: 'news', fromMs: t0, toMs: t0, ids: [one.id] },
  });
  if (read === undefined) throw new Error('nothing is due');
  expect(pending.found(read, idsOf([one]), 300)).toEqual([{ comment: one, afterMs: 300 }]);
  expect({ size: pending.size, due: pending.due('r2', 1e6) }).toEqual({ size: 0, due: [] });
});

test('where nobody knows which one acknowledged it, two must be read', () => {
  const pending = new Pending();
  const one = comment(0);
  pending.add(one, undefined, 0);
  const [first, second] = [...pending.due('r1', 0), ...pending.due('r2', 0)];
  if (first === undefined || second === undefined) throw new Error('both are due');
  expect(pending.found(first, idsOf([one]), 1)).toEqual([]);
  expect(pending.due('r1', 1e6)).toEqual([]);
  expect(pending.found(second, idsOf([one]), 2)).toHaveLength(1);
});

test('acknowledged by one data centre and, sent again, by another, it needs no read', () => {
  const pending = new Pending();
  const one = comment(0);
  pending.add(one, 'r1', 0);
  expect(pending.add(one, 'r2', 700)).toEqual({ comment: one, afterMs: 700 });
  expect(pending.size).toBe(0);
});

test('what was written close together is one read, within a minute', () => {
  const pending = new Pending();
  for (const ms of [0, 900, 1800, 4000, 59_900, 60_100]) pending.add(comment(ms - 20_000), 'r1', 0);
  expect(spansOf(pending.due('r2', 0))).toEqual([
    { fromMs: -20_000, toMs: -18_200, of: 3 },
    { fromMs: -16_000, toMs: -16_000, of: 1 },
    { fromMs: 39_900, toMs: 40_100, of: 2 },
  ]);
  const dense = new Pending();
  for (let ms = 0; ms < 12_000; ms += 500) dense.add(comment(ms), 'r1', 0);
  expect(spansOf(dense.due('r2', 0)).map(({ of }) => of)).toEqual([11, 11, 2]);
});

test('what is not found is looked for again, soon at first and then every 10 s, and given up after 10 minutes', () => {
  const pending = new Pending();
  pending.add(comment(0), 'r1', 0);
  const lookedMs: number[] = [];
  for (let nowMs = 0; nowMs < pendingLimits.keptMs; nowMs += 500)
    for (const read of pending.due('r2', nowMs)) {
      lookedMs.push(nowMs);
      pending.found(read, none, nowMs);
    }
  const pauses = lookedMs.map((ms, index) => ms - (lookedMs[index - 1] ?? 0)).slice(1);
  expect({ first: pauses.slice(0, 4), last: pauses.at(-1) }).toEqual({
    first: [500, 500, 500, 500],
    last: 10_000,
  });
  expect({ before: pending.giveUp(599_999), later: pending.giveUp(600_000), size: pending.size }).toEqual({
    before: 0,
    later: 1,
    size: 0,
  });
});

test('of a data centre that fails one read a second finds out whether it is back, and no other one waits for that', () => {
  const pending = new Pending();
  for (const stream of ['one', 'two', 'three']) pending.add(comment(0, stream), undefined, 0);
  const [read] = pending.due('r2', 0);
  if (read === undefined) throw new Error('nothing is due');
  pending.failed(read, 0);
  const dueAt = (nowMs: number, dataCentre = 'r2') => pending.due(dataCentre, nowMs).length;
  expect({ at: dueAt(999), later: dueAt(1000), other: dueAt(1000, 'r1') }).toEqual({
    at: 0,
    later: 1,
    other: 3,
  });
  const [again] = pending.due('r2', 1000);
  if (again === undefined) throw new Error('nothing is due');
  pending.found(again, none, 1000);
  expect({ back: dueAt(1000) }).toEqual({ back: 2 });
});

test('streams have their turns, however many one of them waits for', () => {
  const pending = new Pending();
  for (let number = 0; number < 100; number += 1) pending.add(comment(number * 5000, 'busy'), 'r1', 0);
  for (let number = 0; number < 70; number += 1) pending.add(comment(0, `calm-${number}`), 'r1', 0);
  const seen = new Map<string, number>();
  const rounds = Array.from({ length: 3 }, () => {
    const reads = pending.due('r2', 0);
    for (const { streamId } of reads) seen.set(streamId, (seen.get(streamId) ?? 0) + 1);
    for (const read of reads) pending.found(read, none, 0);
    return reads.length;
  });
  expect({ rounds, streams: seen.size }).toEqual({ rounds: [64, 38, 16], streams: 71 });
});

test('more than 50,000 are refused, and there is room again when one was found', () => {
  const pending = new Pending();
  const first = comment(0);
  const numbered = (number: number): Acknowledged => ({
    ...first,
    id: CommentId.parse(`news~${String(number).padStart(26, '0')}`),
    createdAtMs: t0 + number,
  });
  const all = Array.from({ length: pendingLimits.most }, (_, number) => numbered(number));
  for (const one of all) pending.add(one, 'r1', 0);
  expect(pending.add(comment(-1), 'r1', 0)).toBe('full');
  expect(pending.add(numbered(5), 'r1', 0)).toBe('pending');
  const [read] = pending.due('r2', 0);
  if (read === undefined) throw new Error('nothing is due');
  pending.found(read, new Set(read.ids.slice(0, 1)), 0);
  expect(pending.add(comment(-1), 'r1', 0)).toBe('pending');
});

const centres = ['r1', 'r2', 'r3'] as const;
const round = fc.nat(20);
const reachedAt = fc.option(round, { nil: Infinity });
/** A comment, the round in which it is acknowledged, and from which round on each data centre has it. */
const saying = fc.record({
  atMs: fc.integer({ min: -2 * minuteMs, max: 2 * minuteMs }),
  stream: fc.constantFrom('one', 'two'),
  round,
  keptIn: fc.constantFrom(...centres, undefined),
  thereFrom: fc.record({ r1: reachedAt, r2: reachedAt, r3: reachedAt }),
});
type Saying = typeof saying extends fc.Arbitrary<infer T> ? T : never;
const failure = fc.record({ dataCentre: fc.constantFrom(...centres), round });

const commentOf = ({ atMs, stream }: Saying): Acknowledged => comment(atMs, stream);
const hasIt = (said: Saying, dataCentre: (typeof centres)[number], now: number): boolean =>
  said.keptIn === dataCentre || said.thereFrom[dataCentre] <= now;
const isOf = ({ streamId, fromMs, toMs }: DueRead, { stream, atMs }: Saying): boolean =>
  stream === streamId && t0 + atMs >= fromMs && t0 + atMs <= toMs;

// Goal: nothing is called replicated that two data centres do not have, and nothing that they have stays unknown. Method: comments come in
// any order; each reaches each of three data centres at some round, or never; data centres fail in any rounds; a model knows who has what.
test('whatever comes late or fails, exactly what two data centres have is told, once', () => {
  const run = (all: readonly Saying[], failures: readonly { dataCentre: string; round: number }[]): void => {
    const pending = new Pending();
    const told: CommentId[] = [];
    const answer = (read: DueRead, dataCentre: (typeof centres)[number], now: number): void => {
      const nowMs = now * 5000;
      if (failures.some((one) => one.dataCentre === dataCentre && one.round === now))
        return pending.failed(read, nowMs);
      const isOneMinute = Math.floor(read.fromMs / minuteMs) === Math.floor(read.toMs / minuteMs);
      expect({ isOneMinute }).toEqual({ isOneMinute: true });
      const there = all.filter((said) => isOf(read, said) && hasIt(said, dataCentre, now));
      told.push(...pending.found(read, idsOf(there.map(commentOf)), nowMs).map((seen) => seen.comment.id));
    };
    for (let now = 0; now < 60; now += 1) {
      for (const said of all)
        if (said.round === now) {
          const added = pending.add(commentOf(said), said.keptIn, now * 5000);
          expect({ added }).toEqual({ added: 'pending' });
        }
      for (const dataCentre of centres)
        for (const read of pending.due(dataCentre, now * 5000)) answer(read, dataCentre, now);
    }
    const wanted = all.filter((said) => centres.filter((one) => hasIt(said, one, 60)).length >= 2);
    expect(told.toSorted()).toEqual([...idsOf(wanted.map(commentOf))].toSorted());
    expect({ left: pending.size }).toEqual({ left: all.length - wanted.length });
  };
  const sayings = fc.uniqueArray(saying, { selector: ({ atMs }) => atMs, maxLength: 40 });
  fc.assert(fc.property(sayings, fc.array(failure), run));
});
