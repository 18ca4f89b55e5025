/** What a node has to carry, and who is next in line (C4). */
import { expect, test } from 'vitest';
import { NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { lineOf, loadsOf } from '../../../../cluster/ownership/succession.ts';

const [n1, n2] = [NodeId.parse('n1'), NodeId.parse('n2')];
const candidates = [n1, n2].map((id) => ({ id, weight: 1 }));

const records = (owner: NodeId, count: number, endedAt?: string) =>
  Array.from({ length: count }, (_, index) => {
    const record = { owner, ...(endedAt === undefined ? {} : { endedAt }) };
    return [StreamId.parse(`${owner}-${endedAt === undefined ? 'live' : 'over'}-${index}`), record] as const;
  });

test('a load is what a node owns and is on air', () => {
  const all = new Map([...records(n1, 3), ...records(n1, 40, '2026-11-28T19:00:00Z'), ...records(n2, 5)]);
  expect(loadsOf(all)).toEqual(
    new Map([
      [n1, 3],
      [n2, 5],
    ]),
  );
});

test('broadcasts that are over keep their last owner from nothing, those on air do', () => {
  const streams = Array.from({ length: 100 }, (_, index) => StreamId.parse(`next-${index}`));
  const firstFor = (endedAt?: string): readonly NodeId[] => {
    const loads = loadsOf(new Map(records(n1, 40, endedAt)));
    return streams.flatMap((stream) => lineOf(stream, candidates, loads, 1));
  };
  expect(firstFor().filter((node) => node === n1)).toEqual([]);
  expect(firstFor('2026-11-28T19:00:00Z')).toEqual(
    streams.flatMap((one) => lineOf(one, candidates, new Map(), 1)),
  );
  expect(new Set(firstFor('2026-11-28T19:00:00Z'))).toEqual(new Set([n1, n2]));
});
