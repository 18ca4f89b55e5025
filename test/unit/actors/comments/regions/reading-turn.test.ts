/** Which node of a region reads what other regions have written: rules T1 to T3 of reading-turn.ts. */
import { expect, test } from 'vitest';
import { ReadingTurn } from '../../../../../actors/comments/regions/reading-turn.ts';
import { order } from '../../../../../cluster/partition/rendezvous.ts';
import { BootId, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';

const stream = StreamId.parse('demo');
const [first, second, third] = order(
  stream,
  ['n1', 'n2', 'n3'].map((id) => ({ id, weight: 1 })),
).map(({ id }) => NodeId.parse(id));
if (first === undefined || second === undefined || third === undefined) throw new Error('three are three');
const bootId = BootId.parse('b1');

/** The last node of the three, which has heard of that one and read since. */
function relyingOn(node: NodeId, atMs = 0): ReadingTurn {
  const turn = new ReadingTurn(stream, third ?? node);
  turn.heard({ node, bootId }, atMs);
  turn.hasRead(atMs);
  return turn;
}

test('a node relies on one that is ahead of it, and never the other way round', () => {
  expect(relyingOn(first).reliesOnOther(0)).toBe(true);
  const turn = new ReadingTurn(stream, first);
  turn.heard({ node: third, bootId }, 0);
  turn.hasRead(0);
  expect(turn.reliesOnOther(0)).toBe(false);
});

test('it reads once more before it relies on another one, and on another life of it', () => {
  const turn = new ReadingTurn(stream, third);
  turn.hasRead(0);
  expect(turn.heard({ node: first, bootId }, 10)).toBe(false);
  turn.hasRead(9);
  expect(turn.reliesOnOther(20)).toBe(false);
  turn.hasRead(10);
  expect({ heard: turn.heard({ node: first, bootId }, 20), relies: turn.reliesOnOther(20) }).toEqual({
    heard: true,
    relies: true,
  });
  expect(turn.heard({ node: first, bootId: BootId.parse('b2') }, 30)).toBe(false);
  expect(turn.reliesOnOther(30)).toBe(false);
});

test('it reads again when the other one is silent for 2.5 s', () => {
  const turn = relyingOn(first);
  expect([2499, 2500].map((ms) => turn.reliesOnOther(ms))).toEqual([true, false]);
});

test('one that was silent has begun anew, so it is read once more before it is relied on again', () => {
  const turn = relyingOn(first);
  expect(turn.heard({ node: first, bootId }, 2499)).toBe(true);
  expect({ heard: turn.heard({ node: first, bootId }, 4999), relies: turn.reliesOnOther(4999) }).toEqual({
    heard: false,
    relies: false,
  });
  turn.hasRead(5000);
  expect(turn.heard({ node: first, bootId }, 5500)).toBe(true);
});

test('of two that are ahead it keeps to the first, and takes the second when the first is silent', () => {
  const turn = relyingOn(first);
  turn.heard({ node: second, bootId }, 1000);
  turn.hasRead(1000);
  expect(turn.reliesOnOther(2499)).toBe(true);
  turn.heard({ node: second, bootId }, 3000);
  turn.hasRead(3000);
  expect(turn.reliesOnOther(5000)).toBe(true);
});
