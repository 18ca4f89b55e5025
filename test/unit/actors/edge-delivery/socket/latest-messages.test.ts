import { expect, test } from 'vitest';
import { LatestMessages } from '../../../../../actors/edge-delivery/socket/latest-messages.ts';
import { added, commentOf, hidden } from '../../../../support/audience/said.ts';

const read = (texts: readonly string[]): readonly unknown[] => texts.map((text) => JSON.parse(text));

test('who joins gets what was told meanwhile, without what the answer has already', () => {
  const latest = new LatestMessages();
  latest.add(added(commentOf(1)));
  const joiner = latest.begin(0);
  latest.add(added(commentOf(2)));
  latest.add(added(commentOf(3)));
  latest.add(hidden(commentOf(2)));
  const answer = [added(commentOf(1)), added(commentOf(2))];
  expect(read(latest.since(joiner, answer, 0))).toEqual([added(commentOf(3)), hidden(commentOf(2))]);
});

test('each who joins gets what came since its own beginning, however many join', () => {
  const latest = new LatestMessages();
  const first = latest.begin(0);
  latest.add(added(commentOf(1)));
  const second = latest.begin(0);
  latest.add(added(commentOf(2)));
  expect(read(latest.since(first, [], 0))).toHaveLength(2);
  latest.end(first);
  latest.add(added(commentOf(3)));
  expect(read(latest.since(second, [], 0))).toEqual([added(commentOf(2)), added(commentOf(3))]);
});

test('who takes so long that not all is kept is told a gap', () => {
  const latest = new LatestMessages();
  const joiner = latest.begin(1000);
  for (let number = 0; number < 2001; number += 1) latest.add(added(commentOf(number)));
  expect(read(latest.since(joiner, [], 2000)).slice(0, 2)).toEqual([
    { type: 'gap', from: '1970-01-01T00:00:01.000Z', to: '1970-01-01T00:00:02.000Z' },
    added(commentOf(1)),
  ]);
});

test('nothing is kept while nobody joins', () => {
  const latest = new LatestMessages();
  latest.end(latest.begin(0));
  latest.add(added(commentOf(1)));
  expect(latest.since({ from: 1, atMs: 0 }, [], 0)).toEqual([]);
});
