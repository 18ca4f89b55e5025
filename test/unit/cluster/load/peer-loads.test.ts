import { expect, test } from 'vitest';
import { loadLastsMs, PeerLoads } from '../../../../cluster/load/peer-loads.ts';
import { NodeId } from '../../../../cluster/model/ids.ts';

const [n1, n2] = [NodeId.parse('n1'), NodeId.parse('n2')];

test('the last load that a node said counts, until it has been silent for too long', () => {
  const loads = new PeerLoads();
  expect(loads.of(n1, 0)).toBeUndefined();
  loads.note(n1, 5, 0);
  loads.note(n1, 7, 1000);
  expect({ old: loads.of(n1, 1000 + loadLastsMs), young: loads.of(n2, 1000) }).toEqual({
    old: 7,
    young: undefined,
  });
  expect(loads.of(n1, 1001 + loadLastsMs)).toBeUndefined();
});

test('of too many nodes the one that was heard longest ago is forgotten', () => {
  const loads = new PeerLoads();
  for (let index = 0; index <= 2000; index += 1) loads.note(NodeId.parse(`n${index}`), index, 0);
  expect({ nobody: loads.of(NodeId.parse('n0'), 0), known: loads.of(n1, 0) }).toEqual({
    nobody: undefined,
    known: 1,
  });
});
