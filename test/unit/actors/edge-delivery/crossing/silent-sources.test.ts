/** Which edges of other regions have not answered lately (R5). */
import { expect, test } from 'vitest';
import { SilentSources } from '../../../../../actors/edge-delivery/crossing/silent-sources.ts';
import { NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';

const edgeOf = (id: string) => ({
  region: RegionId.parse('eu'),
  node: NodeId.parse(id),
  httpUrl: `http://${id}.test`,
  isSound: true,
  connections: 0,
  room: 1,
  weight: 1,
});

function rig() {
  const said: unknown[] = [];
  const world = { nowMs: 0, said };
  const silent = new SilentSources({
    clock: { monotonicMs: () => world.nowMs },
    logger: { warn: (facts) => void said.push(facts) },
    metrics: noMetrics,
  });
  return { world, silent };
}

test('an edge that did not answer counts as silent for 10 s from then on, and is said once', () => {
  const { world, silent } = rig();
  const isSilent: boolean[] = [];
  const at = (nowMs: number): void => {
    world.nowMs = nowMs;
    isSilent.push(silent.isSilent(edgeOf('n1')));
  };
  at(0);
  silent.note(edgeOf('n1'));
  at(9999);
  silent.note(edgeOf('n1'));
  at(10_000);
  at(19_999);
  expect({ isSilent, other: silent.isSilent(edgeOf('n2')), said: world.said }).toEqual({
    isSilent: [false, true, true, false],
    other: false,
    said: [{ region: 'eu', node: 'n1', httpUrl: 'http://n1.test' }],
  });
});

test('of many silent edges a thousand are remembered', () => {
  const { world, silent } = rig();
  for (let index = 0; index <= 1000; index += 1) silent.note(edgeOf(`n${index}`));
  expect({
    first: silent.isSilent(edgeOf('n0')),
    last: silent.isSilent(edgeOf('n1000')),
    said: world.said.length,
  }).toEqual({ first: false, last: true, said: 1001 });
});
