/** What was heard of whom, as a value: an old one stays what it was (D6). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  accused,
  accusersOf,
  hear,
  nothingHeard,
  without,
  type Accusation,
  type Heard,
} from '../../../../cluster/membership/heard.ts';
import { NodeId } from '../../../../cluster/model/ids.ts';

const node = (index: number): NodeId => NodeId.parse(`n${index}`);
const accusation = fc
  .tuple(fc.nat({ max: 200 }), fc.nat({ max: 4 }), fc.boolean())
  .map(([target, from, holds]): Accusation => ({
    from: node(from),
    target: node(target),
    incarnation: 1,
    holds,
  }));

const pairs = (heard: Heard): readonly string[] =>
  [...accused(heard)].flatMap((id) => [...(accusersOf(heard, id) ?? [])].map(([from]) => `${from}>${id}`));

test('whatever is said and taken back, what holds is what a plain set would hold', () => {
  fc.assert(
    fc.property(fc.array(accusation, { maxLength: 60 }), (said) => {
      const plain = new Set<string>();
      let heard = nothingHeard;
      for (const one of said) {
        heard = hear(heard, one, 1);
        if (one.holds) plain.add(`${one.from}>${one.target}`);
        else plain.delete(`${one.from}>${one.target}`);
      }
      expect(pairs(heard).toSorted()).toEqual([...plain].toSorted());
      expect(heard.size).toBe(new Set([...plain].map((pair) => pair.split('>')[1])).size);
    }),
  );
});

test('hearing leaves the former value as it was, and nothing new is the same object', () => {
  const said: Accusation = { from: node(1), target: node(2), incarnation: 3, holds: true };
  const heard = hear(nothingHeard, said, 7);
  expect({ before: nothingHeard.size, after: heard.size }).toEqual({ before: 0, after: 1 });
  expect(accusersOf(heard, node(2))?.get(node(1))).toEqual({ incarnation: 3, atMs: 7 });
  expect(without(heard, [node(5)])).toBe(heard);
  expect(hear(nothingHeard, { ...said, holds: false }, 8)).toBe(nothingHeard);
  expect(accusersOf(without(heard, [node(2)]), node(2))).toBeUndefined();
  expect(heard.size).toBe(1);
});

test('names of one and of 64 characters are heard of as well', () => {
  for (const id of [NodeId.parse('a'), NodeId.parse('x'.repeat(64))])
    expect([
      ...accused(hear(nothingHeard, { from: node(1), target: id, incarnation: 1, holds: true }, 0)),
    ]).toEqual([id]);
});
