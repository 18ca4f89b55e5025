/** Who is asked to fetch an object from another region, and how long for (R5). */
import { expect, test } from 'vitest';
import type { PullParams, PulledObject, PullState } from '../../../../cluster/contract/edge-actions.ts';
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { NodeId, PeriodId, RenditionName, Sha256, StreamId } from '../../../../cluster/model/ids.ts';
import { pullOnce } from '../../../../cluster/region/ask-to-pull.ts';

const objectAt = (startTime: number): PulledObject => ({
  streamId: StreamId.parse('demo'),
  period: PeriodId.parse(2),
  rendition: RenditionName.parse('h264-240p'),
  media: { sha256: Sha256.parse('a'.repeat(64)), bytes: 100, startTime },
});

/** A region of edges; each answers what its script says, as a function of the wait. */
function region(scripts: Readonly<Record<string, (waitMs: number) => PullState>>) {
  const asked: { edge: string; waitMs: number; withinMs: number }[] = [];
  let nowMs = 0;
  const ports = {
    clock: { runningMs: () => nowMs },
    onSilent: () => {},
    edges: () => Object.keys(scripts).map((id) => ({ id: NodeId.parse(id), weight: 1 })),
    askToPull: async (edge: NodeId, { waitMs }: PullParams, withinMs: number): Promise<PullState> => {
      asked.push({ edge, waitMs, withinMs });
      nowMs += waitMs;
      return scripts[edge]?.(waitMs) ?? 'notFound';
    },
  };
  return { ports, asked };
}
const silent = (): never => {
  throw new TangazaError('UNAVAILABLE');
};
const stored = (): PullState => 'stored';
const full = (): never => {
  throw new TangazaError('OVERLOADED');
};

test('all who lack an object ask the same edge, and objects spread over the edges', async () => {
  const edges = { n1: stored, n2: stored, n3: stored };
  const turned = { n3: stored, n2: stored, n1: stored };
  const firsts = new Set<string>();
  for (let startTime = 0; startTime < 30; startTime += 1) {
    const { edge } = await pullOnce(region(edges).ports, objectAt(startTime), 1000);
    expect((await pullOnce(region(turned).ports, objectAt(startTime), 1000)).edge).toBe(edge);
    firsts.add(edge);
  }
  expect(firsts.size).toBe(3);
});

// Goal: a region that is busy does not fetch each object three times. Method: whichever edge comes first is full; the object is told at once, or later.
test.each([
  ['at once', (): PullState => full()],
  ['while it waits', (waitMs: number): PullState => (waitMs === 20 ? 'underWay' : full())],
])('an edge that says %s that it has too much to do counts as no silent one', async (_when, script) => {
  const { ports, asked } = region({ n1: script, n2: script, n3: script });
  const silentEdges: number[] = [];
  const onSilent = (): void => void silentEdges.push(1);
  const refused = await pullOnce({ ...ports, onSilent }, objectAt(0), 9000).catch(errorCodeOf);
  expect({ refused, edges: new Set(asked.map(({ edge }) => edge)).size, silentEdges }).toEqual({
    refused: 'OVERLOADED',
    edges: 1,
    silentEdges: [],
  });
});

test('an edge has 300 ms to say that it has begun; then it is waited for', async () => {
  const { ports, asked } = region({ n1: (waitMs) => (waitMs === 20 ? 'underWay' : 'stored') });
  expect(await pullOnce(ports, objectAt(0), 9000)).toEqual({ state: 'stored', edge: 'n1' });
  expect(asked).toEqual([
    { edge: 'n1', waitMs: 20, withinMs: 300 },
    { edge: 'n1', waitMs: 4000, withinMs: 4500 },
  ]);
});

test('the caller waits no longer than it says', async () => {
  const { ports, asked } = region({ n1: () => 'underWay' });
  expect(await pullOnce(ports, objectAt(0), 9000)).toEqual({ state: 'underWay', edge: 'n1' });
  expect(asked.map(({ waitMs }) => waitMs)).toEqual([20, 4000, 4000, 980]);
});

// Method: whichever edge comes first says nothing at once, or dies while it pulls.
test.each([
  ['does not answer', silent],
  ['dies while it pulls', (waitMs: number): PullState => (waitMs === 20 ? 'underWay' : silent())],
])('the next edge is asked where the first one %s', async (_what, first) => {
  const line: string[] = [];
  const { ports } = region({ n1: stored, n2: stored, n3: stored });
  const askToPull = async (edge: NodeId, { waitMs }: PullParams): Promise<PullState> => {
    if (!line.includes(edge)) line.push(edge);
    return line[0] === edge ? first(waitMs) : 'stored';
  };
  const { edge, state } = await pullOnce({ ...ports, askToPull }, objectAt(0), 9000);
  expect({ state, isSecond: edge === line[1], asked: line.length }).toEqual({
    state: 'stored',
    isSecond: true,
    asked: 2,
  });
});

test('where no edge answers, or there is none, the object cannot be had now', async () => {
  for (const edges of [{ n1: silent, n2: silent, n3: silent, n4: silent }, {}]) {
    const { ports, asked } = region(edges);
    const code = await pullOnce(ports, objectAt(0), 9000).catch(errorCodeOf);
    expect({ code, asked: asked.length }).toEqual({ code: 'UNAVAILABLE', asked: 'n1' in edges ? 3 : 0 });
  }
});
