import { expect, test } from 'vitest';
import { acrossRegions } from '../../../../actors/reactions/reactions-across.ts';
import type { ReactionCounts, ReactionSums } from '../../../../cluster/contract/audience/reactions.ts';
import { demo } from '../../../support/audience/said.ts';
import { ReactionBus, reactionsAt } from '../../../support/audience/reaction-bus.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';
import { MemoryRegions } from '../../../support/regions/memory-regions.ts';

/** Nodes of two regions, which all have one name. */
function startTwo() {
  const joined = new MemoryRegions({ regions: ['eu', 'us'] });
  const clock = new JumpingClock();
  const counts = { players: 1, sockets: 2, users: 2, suspectedRobots: 0 };
  const start = (region: string) => {
    const events = acrossRegions(new ReactionBus(), joined.of(region));
    const node = reactionsAt(events, { clock, ownCounts: () => new Map([[demo, counts]]) });
    const heard: ReactionCounts[] = [];
    node.follow(demo, { reactions: (sums: ReactionSums) => void heard.push(sums.counts), viewers: () => {} });
    return { node, heard };
  };
  return { joined, clock, eu: start('eu'), us: start('us') };
}

/** Until everything that was sent has come: the regions in memory deliver in microtasks. */
const delivered = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('taps of a window in one region are in the sums of the other, also where nodes have one name', async () => {
  const { eu, us } = startTwo();
  eu.node.react(demo, { kind: 'heart' });
  eu.node.react(demo, { kind: 'heart' });
  eu.node.endWindow();
  await delivered();
  us.node.endWindow();
  expect({ eu: eu.heard, us: us.heard }).toEqual({ eu: [{ heart: 2 }], us: [{ heart: 2 }] });
});

// Method: both regions tell their numbers; then the link is cut for longer than they count.
test('an audience is that of all regions, and 12 s after a cut that of the own one', async () => {
  const { joined, clock, eu, us } = startTwo();
  for (const { node } of [eu, us]) node.tell();
  await delivered();
  expect(us.node.countsOf(demo)).toMatchObject({ players: 2, sockets: 4, users: 4 });
  joined.cut('us', 'eu');
  clock.nowMs += 12_001;
  for (const { node } of [eu, us]) node.tell();
  await delivered();
  expect(us.node.countsOf(demo)).toMatchObject({ players: 1, sockets: 2 });
  expect(eu.node.countsOf(demo)).toMatchObject({ players: 2, sockets: 4 });
});
