import { expect, test } from 'vitest';
import type { Answer, SentCall } from '../../../../../actors/comments/store/sqlite/calls.ts';
import { WaitingCalls } from '../../../../../actors/comments/store/sqlite/waiting-calls.ts';
import { CommentId, StreamId } from '../../../../../cluster/model/ids.ts';

const streamId = StreamId.parse('one');
const commentId = CommentId.parse(`one~${'0'.repeat(26)}`);

/** Calls with what became of them, by id. */
class Desk {
  readonly calls = new WaitingCalls();
  readonly outcomes = new Map<number, unknown>();

  write(id: number, sinceMs = 0): void {
    this.#add({ id, name: 'setMode', args: [streamId, { mode: 'open', slowSeconds: 0 }, 0] }, sinceMs);
  }

  read(id: number, sinceMs = 0): void {
    this.#add({ id, name: 'get', args: [commentId] }, sinceMs);
  }

  #add(call: SentCall, sinceMs: number): void {
    const keep = (outcome: unknown): void => void this.outcomes.set(call.id, outcome);
    this.calls.add({
      call,
      sinceMs,
      resolve: (result) => keep(result ?? 'done'),
      reject: (error) => keep('code' in error ? error.code : error),
    });
  }
}

const ids = (calls: readonly SentCall[]): readonly number[] => calls.map(({ id }) => id);
const done = (id: number): Answer => ({ kind: 'done', id, result: undefined });
const busy = (id: number): Answer => ({ kind: 'busy', id });

test('writes that wait go together, and none beside them until all are answered', () => {
  const { calls, outcomes, write } = newDesk();
  write(1);
  write(2);
  expect(ids(calls.takeWrites())).toEqual([1, 2]);
  write(3);
  expect(ids(calls.takeWrites())).toEqual([]);
  calls.settle([done(1)]);
  expect(ids(calls.takeWrites())).toEqual([]);
  calls.settle([done(2)]);
  expect(ids(calls.takeWrites())).toEqual([3]);
  expect(Object.fromEntries(outcomes)).toEqual({ 1: 'done', 2: 'done' });
});

test('a transaction has 500 writes at most', () => {
  const { calls, write } = newDesk();
  for (let id = 1; id <= 501; id += 1) write(id);
  expect(calls.takeWrites()).toHaveLength(500);
});

test('what found the file busy keeps its place', () => {
  const { calls, write } = newDesk();
  write(1);
  write(2);
  calls.takeWrites();
  write(3);
  calls.settle([busy(1), busy(2)]);
  expect(ids(calls.takeWrites())).toEqual([1, 2, 3]);
});

test('what waits too long is UNAVAILABLE, and counts as long as the thread has it', () => {
  const { calls, outcomes, write, read } = newDesk();
  write(1, 0);
  calls.takeWrites();
  read(2, 0);
  read(3, 1000);
  calls.expire(3001);
  expect({ outcomes: Object.fromEntries(outcomes), size: calls.size }).toEqual({
    outcomes: { 1: 'UNAVAILABLE', 2: 'UNAVAILABLE' },
    size: 2,
  });
  calls.settle([done(1)]);
  expect({ outcome: outcomes.get(1), size: calls.size }).toEqual({ outcome: 'UNAVAILABLE', size: 1 });
});

test('what a dead thread had is refused, what it did not get goes to the next', () => {
  const { calls, outcomes, write } = newDesk();
  write(1);
  calls.takeWrites();
  write(2);
  calls.lose();
  expect(Object.fromEntries(outcomes)).toEqual({ 1: 'UNAVAILABLE' });
  expect(ids(calls.takeWrites())).toEqual([2]);
});

test('more than 4,000 are refused, whoever waits for what', () => {
  const { calls, read } = newDesk();
  for (let id = 1; id <= 4000; id += 1) read(id);
  calls.takeReads();
  expect(() => read(4001)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  expect(calls.oldestMs(50)).toBe(50);
});

function newDesk() {
  const desk = new Desk();
  const { calls, outcomes } = desk;
  return {
    calls,
    outcomes,
    write: (id: number, sinceMs?: number) => desk.write(id, sinceMs),
    read: (id: number, sinceMs?: number) => desk.read(id, sinceMs),
  };
}
