import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createdAtOf, isTimely } from '../../../../../actors/comments/ids/client-id.ts';
import { commentIdOf, lastTimeMs, placeOfComment } from '../../../../../actors/comments/ids/comment-id.ts';
import { ClientId, StreamId } from '../../../../../cluster/model/ids.ts';
import { ada, bob, clientIdAt, news } from '../../../../support/audience/written.ts';

const idAt = (atMs: number, serial = 0) =>
  commentIdOf({ streamId: news, authorId: ada, clientId: clientIdAt(atMs, serial) });

test('an id tells its stream and its time, from the first millisecond to the last', () => {
  for (const atMs of [0, 1, 1_796_000_000_123, lastTimeMs])
    expect(placeOfComment(idAt(atMs))).toEqual({ streamId: news, createdAtMs: atMs });
});

test('the order of ids as text is the order of time', () => {
  const time = fc.integer({ min: 0, max: lastTimeMs });
  fc.assert(
    fc.property(time, time, (one, other) => {
      if (one !== other) expect(idAt(one) < idAt(other)).toBe(one < other);
    }),
  );
});

test('a comment that is sent again has the same id, however its UUID is written; nothing else has', () => {
  const written = { streamId: news, authorId: ada, clientId: clientIdAt(1_796_000_000_123, 10) };
  const id = commentIdOf(written);
  const capitals = ClientId.parse(written.clientId.toUpperCase());
  expect(commentIdOf({ ...written, clientId: capitals })).toBe(id);
  const others = [
    commentIdOf({ ...written, authorId: bob }),
    commentIdOf({ ...written, streamId: StreamId.parse('other') }),
    commentIdOf({ ...written, clientId: clientIdAt(1_796_000_000_123, 11) }),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});

// The id must be the same in every version of this code: rows of earlier ones are found by it.
test('an id is what it always was', () => {
  expect(idAt(1_796_000_000_123)).toBe('news~06h2js98ffhqat6evpcqinsbh8');
});

test('a client id tells when it was made', () => {
  expect(createdAtOf(clientIdAt(1_796_000_000_123))).toBe(1_796_000_000_123);
  expect(createdAtOf(ClientId.parse('017F22E2-79B0-7CC3-98C4-DC0C0C07398F'))).toBe(1_645_557_742_000); // RFC 9562, A.6
});

test('a comment may be two minutes old and a second early, and a day old with a receipt', () => {
  const nowMs = 1_796_000_000_000;
  const timely = (atMs: number, hasReceipt = false) => isTimely(nowMs + atMs, nowMs, hasReceipt);
  expect([-120_001, -120_000, 1000, 1001].map((atMs) => timely(atMs))).toEqual([false, true, true, false]);
  expect([-86_400_001, -86_400_000, 1001].map((atMs) => timely(atMs, true))).toEqual([false, true, false]);
});
