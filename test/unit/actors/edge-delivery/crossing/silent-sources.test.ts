/** Which edges of other regions have not answered lately (R5). */
import { expect, test } from 'vitest';
import { SilentSources } from '../../../../../actors/edge-delivery/crossing/silent-sources.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { edgeAt } from '../../../../support/regions/memory-elsewhere.ts';

const edgeOf = (id: string) => edgeAt('eu', id);

function rig() {
  const said: unknown[] = [];
  const words: string[] = [];
  const world = { nowMs: 0, said, words };
  const silent = new SilentSources({
    clock: { monotonicMs: () => world.nowMs },
    logger: {
      warn: (facts, text) => {
        said.push(facts);
        words.push(text);
      },
    },
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
  silent.note(edgeOf('n1'), { kind: 'silent' });
  at(9999);
  silent.note(edgeOf('n1'), { kind: 'silent' });
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
  for (let index = 0; index <= 1000; index += 1) silent.note(edgeOf(`n${index}`), { kind: 'silent' });
  expect({
    first: silent.isSilent(edgeOf('n0')),
    last: silent.isSilent(edgeOf('n1000')),
    said: world.said.length,
  }).toEqual({ first: false, last: true, said: 1001 });
});

// Goal: who reads the log of a door that is busy, or that has other secrets, does not look at firewalls. Method: an edge that refuses twice, and
// then does not answer.
test('an edge that refuses is said once, with its words, and not as one that cannot be reached', () => {
  const { world, silent } = rig();
  const refused = { kind: 'refused', words: 'http://n1.test answers 503 OVERLOADED' } as const;
  silent.note(edgeOf('n1'), refused);
  silent.note(edgeOf('n1'), refused);
  const [first = '', ...more] = world.words;
  silent.note(edgeOf('n1'), { kind: 'silent' });
  expect({
    hasItsWords: first.includes('answers 503 OVERLOADED'),
    speaksOfReach: first.includes('reach'),
    more,
    isBehind: silent.isSilent(edgeOf('n1')),
    silenceSpeaksOfReach: world.words[1]?.includes('reach'),
  }).toEqual({
    hasItsWords: true,
    speaksOfReach: false,
    more: [],
    isBehind: true,
    silenceSpeaksOfReach: true,
  });
});
