import { expect, test } from 'vitest';
import { HeardNumbers, SentNumbers } from '../../../../../actors/comments/feed/numbers.ts';
import { BootId, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';
import { commentStream as one } from '../../../../support/ports/stores/stored-comments.ts';

const two = StreamId.parse('two');
const sender = { node: NodeId.parse('n1'), bootId: BootId.parse('b1') };
const nextLife = { ...sender, bootId: BootId.parse('b2') };

test('each event names the one before it of its stream, and heads name the last ones', () => {
  const sent = new SentNumbers();
  const events = [one, two, one].map((stream, index) => sent.next(stream, index));
  expect(events).toEqual([
    { number: 1, previous: 0, firstAtMs: 0 },
    { number: 2, previous: 0, firstAtMs: 1 },
    { number: 3, previous: 1, firstAtMs: 0 },
  ]);
  expect(sent.heads(1000)).toEqual([
    { stream: two, number: 2, firstAtMs: 1 },
    { stream: one, number: 3, firstAtMs: 0 },
  ]);
});

test('a stream that was quiet for ten minutes is forgotten, and goes on without a gap', () => {
  const sent = new SentNumbers();
  const heard = new HeardNumbers();
  heard.event(sender, sent.next(one, 0), 0);
  expect(sent.heads(600_000)).toEqual([]);
  expect(heard.event(sender, sent.next(one, 700_000), 700_000)).toEqual({ kind: 'next' });
});

test('it is noticed that an event is missing, by the next one and by the head, and since when', () => {
  const sent = new SentNumbers();
  const [first, , third] = [sent.next(one, 0), sent.next(one, 0), sent.next(one, 0)];
  const [byEvent, byHead] = [new HeardNumbers(), new HeardNumbers()];
  byEvent.event(sender, first, 10);
  byHead.event(sender, first, 10);
  byHead.head(sender, first, 20);
  expect({ event: byEvent.event(sender, third, 30), head: byHead.head(sender, third, 30) }).toEqual({
    event: { kind: 'gap', fromMs: 10 },
    head: { kind: 'gap', fromMs: 20 },
  });
  expect(byHead.head(sender, third, 40)).toEqual({ kind: 'again' });
});

test('of another life of a node nothing was heard before: what it told since its first event may be missing', () => {
  const heard = new HeardNumbers();
  heard.event(sender, { number: 1, previous: 0, firstAtMs: 5 }, 10);
  expect({
    first: heard.event(nextLife, { number: 1, previous: 0, firstAtMs: 5 }, 10),
    later: new HeardNumbers().event(nextLife, { number: 5, previous: 4, firstAtMs: 5 }, 10),
    head: new HeardNumbers().head(nextLife, { number: 5, firstAtMs: 5 }, 10),
  }).toEqual({
    first: { kind: 'next' },
    later: { kind: 'unknown', fromMs: 5 },
    head: { kind: 'unknown', fromMs: 5 },
  });
});

test('an event that comes twice, or late, is heard again', () => {
  const heard = new HeardNumbers();
  const came = [2, 1, 2].map(
    (number) => heard.event(sender, { number, previous: number - 1, firstAtMs: 0 }, 0).kind,
  );
  expect({ came }).toEqual({ came: ['unknown', 'again', 'again'] });
});
