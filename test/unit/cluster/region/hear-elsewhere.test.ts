/** How nodes hear what is on air in other regions, over regions that are joined in memory (R3). */
import { expect, test } from 'vitest';
import { onAir, onAirList, streamsOfPart } from '../../../../cluster/contract/regions/on-air.ts';
import type { StreamOnAir } from '../../../../cluster/contract/regions/on-air.ts';
import { streamHeads } from '../../../../cluster/contract/regions/claims.ts';
import { RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import { hearElsewhere } from '../../../../cluster/region/hear-elsewhere.ts';
import { systemClock } from '../../../../cluster/time/clock.system.ts';
import { onAirAt } from '../../../support/regions/memory-elsewhere.ts';
import { MemoryRegions } from '../../../support/regions/memory-regions.ts';

const us = RegionId.parse('us');
const eu = RegionId.parse('eu');
const demo = StreamId.parse('demo');

function joined() {
  const regions = new MemoryRegions({ regions: ['us', 'eu'] });
  const closing = new DisposableStack();
  const node = (region: RegionId, name: string, recorded: readonly StreamOnAir[] = []) => {
    const others = regions.of(region, name);
    const heard = hearElsewhere({
      region,
      ordinals: new Map([
        [us, 0],
        [eu, 1],
      ]),
      others,
      ownStreams: async () => recorded,
      clock: systemClock,
      logger: silentLogger,
      metrics: noMetrics,
      random: () => 0,
    });
    closing.defer(() => heard.close());
    return { heard, others };
  };
  return { regions, node, [Symbol.dispose]: () => closing.dispose() };
}

test('what an owner tells is known on every node of the other region, and is no other home in its own', async () => {
  using world = joined();
  const home = world.node(eu, 'n1');
  const far = [world.node(us, 'n1'), world.node(us, 'n2')];
  const changes: boolean[] = [];
  far[0]?.heard.onChange(({ isOnAir }) => changes.push(isOnAir));
  home.others.publish(onAir, { streams: [onAirAt(1, 'demo')] });
  await expect.poll(() => far.map(({ heard }) => heard.homeOf(demo)?.region)).toEqual(['eu', 'eu']);
  home.others.publish(onAir, { streams: [onAirAt(1, 'demo', { isOnAir: false })] });
  await expect.poll(() => changes).toEqual([true, false]);
  expect(home.heard.homeOf(demo)).toBeUndefined();
});

// Goal: a node that joins, or whose link comes back, knows what it could not hear. Method: more streams than one page holds, of which some
// were told and some only stand in the records; the link is cut while one ends.
test('a node whose link comes up reads the whole list, told streams and recorded ones', async () => {
  using world = joined();
  const recorded = Array.from({ length: 2 * streamsOfPart + 7 }, (_, index) => onAirAt(1, `s${index}`));
  const home = world.node(eu, 'n1', recorded);
  world.node(eu, 'n2', recorded);
  home.others.publish(onAir, { streams: [onAirAt(1, 'demo', { nextNumber: 77 })] });
  await expect.poll(() => home.heard.homeOf(demo)).toBeUndefined();
  const far = world.node(us, 'n1');
  await expect.poll(() => far.heard.streams().length).toBe(recorded.length + 1);
  expect(far.heard.homeOf(demo)).toMatchObject({ nextNumber: 77 });
  world.regions.cut('us', 'eu');
  home.others.publish(onAir, { streams: [onAirAt(1, 'demo', { isOnAir: false })] });
  await expect.poll(() => far.others.links()[0]?.isUp).toBe(false);
  expect(far.heard.homeOf(demo)).toMatchObject({ isOnAir: true });
  world.regions.heal('us', 'eu');
  await expect.poll(() => far.heard.homeOf(demo)?.isOnAir).toBe(false);
});

test('a stream that no hint names is asked about once in two seconds, and only of regions that are linked', async () => {
  using world = joined();
  const home = world.node(eu, 'n1');
  const far = world.node(us, 'n1');
  const asked: string[] = [];
  const known = StreamId.parse('known');
  home.others.serve(streamHeads, async ({ stream }) => {
    asked.push(stream);
    return { isClaiming: false, ...(stream === known ? { home: onAirAt(1, stream) } : {}) };
  });
  const nowhere = StreamId.parse('nowhere');
  const answers = await Promise.all(Array.from({ length: 100 }, () => far.heard.ask(nowhere)));
  expect({ answers: new Set(answers), asked }).toEqual({ answers: new Set([undefined]), asked: ['nowhere'] });
  await far.heard.ask(nowhere);
  expect(await far.heard.ask(known)).toMatchObject({ region: 'eu', stream: 'known' });
  await far.heard.ask(known);
  expect(asked).toEqual(['nowhere', 'known']);
  world.regions.cut('us', 'eu');
  expect(await far.heard.ask(StreamId.parse('other'))).toBeUndefined();
  expect(asked).toEqual(['nowhere', 'known']);
});

test('of ten thousand questions about streams that exist nowhere few cross at once, and none waits long', async () => {
  using world = joined();
  const home = world.node(eu, 'n1');
  const far = world.node(us, 'n1');
  let asked = 0;
  home.others.serve(streamHeads, async () => {
    asked += 1;
    return { isClaiming: false };
  });
  const questions = Array.from({ length: 10_000 }, (_, index) => far.heard.ask(StreamId.parse(`no${index}`)));
  expect(new Set(await Promise.all(questions))).toEqual(new Set([undefined]));
  expect(asked).toBeLessThanOrEqual(64);
});

test('a region whose list cannot be read, or repeats itself, costs nothing but that list', async () => {
  using world = joined();
  const home = world.regions.of('eu', 'n1');
  let pages = 0;
  home.serve(onAirList, async () => {
    pages += 1;
    return { streams: [onAirAt(1, 'demo')], next: demo };
  });
  const far = world.node(us, 'n1');
  await expect.poll(() => far.heard.homeOf(demo)?.region).toBe('eu');
  await expect.poll(() => pages).toBe(2);
});
