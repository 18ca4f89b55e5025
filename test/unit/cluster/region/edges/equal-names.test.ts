/** Edges of several regions that have one id (R1). */
import { expect, test } from 'vitest';
import { NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { equalNames, sayEqualNames } from '../../../../../cluster/region/edges/equal-names.ts';

const eu = RegionId.parse('eu');
const idsOf = (names: readonly string[]): NodeId[] => names.map((name) => NodeId.parse(name));
const toldOf = (region: string, names: readonly string[]): readonly EdgeElsewhere[] =>
  names.map((name) => ({
    region: RegionId.parse(region),
    node: NodeId.parse(name),
    httpUrl: `http://${name}.${region}.test`,
    isSound: true,
    connections: 0,
    room: 1,
    weight: 1,
  }));

test('equal ids of edges are said with their regions, the first three of them by name', () => {
  const few = ['node-1', 'n2'];
  const many = ['n1', 'n2', 'n3', 'n4', 'n5'];
  expect({
    none: equalNames(eu, idsOf(few), toldOf('us', ['node-3'])),
    own: equalNames(eu, idsOf(few), [...toldOf('asia', ['node-1']), ...toldOf('us', ['node-1'])]),
    ofOthers: equalNames(eu, idsOf(['e1']), [...toldOf('asia', ['n1']), ...toldOf('us', ['n1'])]),
    many: equalNames(eu, idsOf(many), toldOf('us', many)),
  }).toEqual({
    none: undefined,
    own: expect.stringContaining('(node-1 is in eu and asia and us): give each node a TANGAZA_NODE_ID'),
    ofOthers: expect.stringContaining('(n1 is in asia and us):'),
    many: expect.stringContaining('(n1 is in eu and us, n2 is in eu and us, n3 is in eu and us, and 2 more)'),
  });
});

test('equal ids are logged once, and again when they are others', () => {
  const logged: string[] = [];
  let look = (): void => {};
  let words: string | undefined;
  const clock = {
    every: (_ms: number, run: () => void) => {
      look = run;
      return () => {};
    },
  };
  sayEqualNames({ clock, logger: { warn: (_facts, text) => void logged.push(text) } }, () => words);
  for (const now of [undefined, 'n1', 'n1', undefined, 'n2']) {
    words = now;
    look();
  }
  expect(logged).toEqual(['n1', 'n2']);
});
