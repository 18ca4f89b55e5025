/** What a simulated user is made of: ids, the order of comments, the outbox, and the history that it writes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientIdAt, createdAtOf } from '../../../../scripts/audience/client-id.ts';
import { afterRefusal, Outbox, outboxLimits } from '../../../../scripts/audience/outbox.ts';
import { OwnLikes } from '../../../../scripts/audience/own-likes.ts';
import { comparePlaces, OrderedPlaces } from '../../../../scripts/audience/place.ts';
import { Recorder } from '../../../../scripts/audience/recorder.ts';

test('an id of a comment tells when it was written, and is a UUIDv7 whatever the random bytes are', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 47 }),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
      (ms, bytes) => {
        expect(createdAtOf(clientIdAt(ms, bytes))).toBe(ms);
      },
    ),
  );
});

test('places are kept in order, each once, and found between any two', () => {
  const place = fc.record({
    createdAtMs: fc.integer({ min: 0, max: 9 }),
    id: fc.constantFrom('a', 'b', 'c'),
  });
  fc.assert(
    fc.property(fc.array(place), fc.option(place), fc.option(place), (places, after, before) => {
      const ordered = new OrderedPlaces();
      for (const one of places) ordered.add(one);
      const between = places
        .filter((one) => after === null || comparePlaces(one, after) > 0)
        .filter((one) => before === null || comparePlaces(one, before) < 0)
        .toSorted(comparePlaces)
        .filter((one, index, all) => index === 0 || comparePlaces(one, all[index - 1] ?? one) !== 0);
      expect(ordered.between(after ?? undefined, before ?? undefined)).toEqual(between);
    }),
  );
});

describe('an outbox', () => {
  const id = (n: number) => clientIdAt(n, new Uint8Array(10));

  test('gives out each comment once, and again when no answer came in time', () => {
    const outbox = new Outbox();
    outbox.add(id(1), 'one', 0);
    expect(outbox.takeDue(0).map(({ text }) => text)).toEqual(['one']);
    expect(outbox.takeDue(1)).toEqual([]);
    expect(outbox.takeUnanswered(outboxLimits.answerWithinMs - 1, false)).toEqual([]);
    expect(outbox.takeUnanswered(outboxLimits.answerWithinMs, false)).toHaveLength(1);
    expect(outbox.takeDue(outboxLimits.answerWithinMs).map(({ clientId }) => clientId)).toEqual([id(1)]);
  });

  test('gives all of it out again when the connection is lost, and nothing that was answered', () => {
    const outbox = new Outbox();
    for (const n of [1, 2]) outbox.add(id(n), `${n}`, 0);
    outbox.takeDue(0);
    expect({ first: outbox.remove(id(1)), twice: outbox.remove(id(1)) }).toEqual({
      first: true,
      twice: false,
    });
    outbox.takeUnanswered(5, true);
    expect(outbox.takeDue(5).map(({ text }) => text)).toEqual(['2']);
  });

  test('keeps who was told to wait until then', () => {
    const outbox = new Outbox();
    outbox.add(id(1), 'one', 0);
    outbox.takeDue(0);
    outbox.again(id(1), 3000);
    expect(outbox.takeDue(2999)).toEqual([]);
    expect(outbox.takeDue(3000)).toHaveLength(1);
  });

  test('is full at its bound', () => {
    const outbox = new Outbox();
    for (let n = 0; n < outboxLimits.mostWaiting; n += 1) outbox.add(id(n), `${n}`, 0);
    expect(outbox.isFull).toBe(true);
  });
});

describe('the likes of a user', () => {
  test('are of one comment at a time, and what was liked is taken back', () => {
    const likes = new OwnLikes();
    expect(likes.next('a', 0)).toEqual({ id: 'a', isOn: true });
    expect(likes.next('b', 1)).toBeUndefined();
    likes.answered('done', 2);
    expect({ isOpen: likes.isOpen, next: likes.next('a', 3) }).toEqual({
      isOpen: false,
      next: { id: 'a', isOn: false },
    });
  });

  test('are asked again until somebody answers, and nothing else before that', () => {
    const likes = new OwnLikes();
    likes.next('a', 0);
    likes.answered('unanswered', 10);
    expect({ isOpen: likes.isOpen, isDue: likes.isDue(1009), tooEarly: likes.next('b', 1009) }).toEqual({
      isOpen: true,
      isDue: false,
      tooEarly: undefined,
    });
    expect({ isDue: likes.isDue(1010), next: likes.next('b', 1010) }).toEqual({
      isDue: true,
      next: { id: 'a', isOn: true },
    });
  });

  test('that were refused have changed nothing', () => {
    const likes = new OwnLikes();
    likes.next('a', 0);
    likes.answered('refused', 1);
    expect({ next: likes.next('a', 2), nothing: new OwnLikes().next(undefined, 0) }).toEqual({
      next: { id: 'a', isOn: true },
      nothing: undefined,
    });
  });
});

test.for([
  ['TOO_MANY_COMMENTS', 429, 'again'],
  ['PARENT_NOT_HERE', 425, 'again'],
  ['UNAVAILABLE', 503, 'again'],
  ['COMMENT_EXPIRED', 409, 'lookUp'],
  ['CONFLICT', 409, 'over'],
  ['COMMENTS_CLOSED', 403, 'over'],
] as const)('after %s (%i) a comment is sent %s', ([code, status, next]) => {
  expect(afterRefusal(code, status)).toBe(next);
});

test('a history has the time of each happening, one string for a text, and says when it has no room for more', () => {
  let nowMs = 0;
  const recorder = new Recorder({ monotonicMs: () => (nowMs += 1) }, 10);
  const text = 'said twice';
  const seen = { id: 'a', createdAtMs: 0, author: 'b', text, hidden: false, likes: 0 };
  expect(recorder.shared({ ...seen, text: text.split(' ').join(' ') }).text).toBe(text);
  for (let n = 0; n < 9; n += 1) recorder.note({ kind: 'left', user: 'a' });
  expect({ isFull: recorder.isFull, hasHoles: recorder.hasHoles }).toEqual({ isFull: true, hasHoles: false });
  for (let n = 0; n < 9; n += 1) recorder.note({ kind: 'left', user: 'a' });
  expect({ length: recorder.history.length, hasHoles: recorder.hasHoles }).toEqual({
    length: 10,
    hasHoles: true,
  });
  expect(recorder.history.map(({ atMs }) => atMs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
