/** Where a publisher's stream may begin when there are two regions (R7): logs and records in memory, over regions that are joined in memory. */
import { expect, test } from 'vitest';
import { createOwner } from '../../../../../actors/stream/owner/owner.ts';
import { settings } from '../../../../support/ingest/owner-harness.ts';
import { acrossTimes, askAcross } from '../../../../../actors/stream/succession/across.ts';
import { claimStream } from '../../../../../actors/stream/succession/claim.ts';
import { ClaimsHeard } from '../../../../../actors/stream/succession/claims-heard.ts';
import { tellHeads } from '../../../../../actors/stream/succession/tell-heads.ts';
import { claiming, streamFold, streamHeads } from '../../../../../cluster/contract/regions/claims.ts';
import { onAir } from '../../../../../cluster/contract/regions/on-air.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { BootId, NodeId, RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics, type Labels } from '../../../../../cluster/observe/metrics.ts';
import { splitEpoch } from '../../../../../cluster/ownership/epoch.ts';
import { order } from '../../../../../cluster/partition/rendezvous.ts';
import { hearElsewhere } from '../../../../../cluster/region/hear-elsewhere.ts';
import { systemClock } from '../../../../../cluster/time/clock.system.ts';
import { within } from '../../../../../cluster/time/within.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';
import { MemorySegmentStore } from '../../../../support/ports/memory-segment-store.ts';
import { stream } from '../../../../support/ports/records.ts';
import { relayedAtOnce, relayInto } from '../../../../support/ports/relayed.ts';
import { MemoryOwnershipStore } from '../../../../support/ports/stores/memory-ownership-store.ts';
import { onAirAt } from '../../../../support/regions/memory-elsewhere.ts';
import { MemoryRegions } from '../../../../support/regions/memory-regions.ts';

const ids = ['eu', 'us'] as const;
const ordinals = new Map(ids.map((id, ordinal) => [RegionId.parse(id), ordinal]));

/** A region of one node that may claim streams, and answers the other one. */
function regionOf(regions: MemoryRegions, id: (typeof ids)[number], closing: DisposableStack) {
  const region = RegionId.parse(id);
  const ordinal = ordinals.get(region) ?? 0;
  const others = regions.of(id);
  const [log, ownership, store] = [
    new MemoryIndexLog(),
    new MemoryOwnershipStore(),
    new MemorySegmentStore(),
  ];
  const shared = { region, others, clock: systemClock, logger: silentLogger };
  const elsewhere = hearElsewhere({
    ...shared,
    ordinals,
    ownStreams: async () => [],
    metrics: noMetrics,
    random: () => 0,
  });
  const heard = new ClaimsHeard(region, others, systemClock);
  const rtmpUrl = `rtmp://${id}:1935/live`;
  const askedEdges: StreamId[] = [];
  const askEdges = async (of: StreamId) => {
    askedEdges.push(of);
    return [];
  };
  const asks = { askEdges, askFold: async () => undefined };
  const ports = { ...shared, ...asks, log, ownership, store };
  let mayOpen = Promise.resolve();
  /** Holds claims up before their `open`. @returns what lets them go on */
  const slowOpen = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    mayOpen = promise;
    return resolve;
  };
  closing.defer(() => elsewhere.close());
  closing.defer(tellHeads(others, { ...ports, heard, rtmpUrlOf: () => rtmpUrl }));
  const outcomes: string[] = [];
  const across = {
    ...shared,
    node: NodeId.parse(`${id}-n1`),
    elsewhere,
    heard,
    outcomes: { add: (_by: number, labels: Labels = {}) => void outcomes.push(...Object.values(labels)) },
  };
  const claim = async (of = stream) => {
    const taken = await claimStream(
      of,
      { claim: { isPublished: true }, recordId: `open-${id}` },
      {
        ...ports,
        node: NodeId.parse(`${id}-n1`),
        bootId: BootId.parse(`b-${id}`),
        regionOrdinal: ordinal,
        isAlive: () => false,
        refreshMembers: async () => {},
        askAcross: async (asked, tail) => {
          const known = await askAcross(asked, tail, across);
          await mayOpen;
          return known;
        },
      },
    );
    const { epoch } = taken.self;
    others.publish(onAir, { streams: [onAirAt(ordinal, of, { epoch, rtmpUrl })] });
    return taken;
  };
  /** Writes a log as an owner of the past left it. */
  const write = async (entries: readonly IndexEntry[], of = stream): Promise<void> => {
    for (const { record } of entries) await log.append(of, record, (await log.tail(of))?.sequence ?? 0);
  };
  return { others, elsewhere, log, claim, write, outcomes, askedEdges, slowOpen };
}

function twoRegions({ roundTripMs = 1 } = {}) {
  const closing = new DisposableStack();
  const regions = new MemoryRegions({ regions: ids, roundTripMs });
  const [eu, us] = [regionOf(regions, 'eu', closing), regionOf(regions, 'us', closing)];
  return { regions, eu, us, [Symbol.dispose]: () => closing.dispose() };
}

const refusalOf = (claim: Promise<unknown>): Promise<unknown> =>
  claim.then(
    () => 'begins',
    (error: unknown) =>
      error instanceof TangazaError ? { code: error.code, detail: error.message, ...error.data } : error,
  );

const broadcast = () => new LogBuilder().open().clock().segments(12);

test('a stream that ended in another region begins here, above its epoch and behind its last segment', async () => {
  using world = twoRegions();
  await world.eu.write(broadcast().end().entries);
  const { self, ofOther } = await world.us.claim();
  expect({ ...splitEpoch(self.epoch), nextNumber: ofOther?.timeline.nextNumber }).toEqual({
    term: 1,
    regionOrdinal: 1,
    n: 0,
    nextNumber: 12,
  });
});

// Goal: folds count on from this log, whoever wrote before (R6). Method: this region has relayed all of the other's log, a part, or nothing.
test.each([15, 9, 0])(
  'its open says which branch it goes on with, where this log has %i records of that',
  async (count) => {
    using world = twoRegions();
    const { entries } = broadcast().end();
    await world.eu.write(entries);
    await world.us.write(relayInto([], entries).slice(0, count));
    const taken = await world.us.claim();
    const open = taken.entries.at(-1)?.record;
    expect(open).toMatchObject({ kind: 'open', from: { region: 'eu', epoch: 1 } });
    const owner = createOwner({ ...taken, settings }, { utcMs: 0, runningMs: 0 });
    expect(owner.timeline).toMatchObject({ nextNumber: 12, state: 'ended', epoch: taken.self.epoch });
    expect({ count, first: owner.outbox[0]?.kind }).toEqual({
      count,
      first: count === 15 ? undefined : 'snapshot',
    });
  },
);

test('a stream that began again in its own region says no branch', async () => {
  using world = twoRegions();
  await world.eu.write(broadcast().end().entries);
  const { entries } = await world.eu.claim();
  expect(entries.at(-1)?.record).not.toHaveProperty('from');
});

test('a stream that was never on air begins at once', async () => {
  using world = twoRegions();
  const { self, ofOther } = await world.us.claim();
  expect({ ...splitEpoch(self.epoch), ofOther, outcomes: world.us.outcomes }).toEqual({
    term: 0,
    regionOrdinal: 1,
    n: 1,
    ofOther: undefined,
    outcomes: ['begins'],
  });
});

test('a publisher away from the home of a stream that is on air is refused, and told where to publish', async () => {
  using world = twoRegions();
  await world.eu.write(broadcast().entries);
  expect(await refusalOf(world.us.claim())).toEqual({
    code: 'STREAM_BUSY',
    detail: 'demo: It is on air in region eu. Publish to rtmp://eu:1935/live.',
    region: 'eu',
    ingest: 'rtmp://eu:1935/live',
  });
});

test('what was on air in a region that is cut off stays refused, with the age of what is known', async () => {
  using world = twoRegions();
  world.eu.others.publish(onAir, { streams: [onAirAt(0, 'demo')] });
  await expect.poll(() => world.us.elsewhere.homeOf(stream)?.region).toBe('eu');
  world.regions.cut('us', 'eu');
  expect(await refusalOf(world.us.claim())).toMatchObject({
    code: 'STREAM_BUSY',
    detail: expect.stringMatching(/on air in region eu \d+ s ago, and eu does not answer now/),
    ingest: 'rtmp://region0.example:1935/live',
  });
});

test('a node that has heard nothing since it began takes it from its log that a stream is on air in a region that is cut off', async () => {
  using world = twoRegions();
  world.regions.cut('us', 'eu');
  await world.us.write(relayInto([], broadcast().entries));
  expect(await refusalOf(world.us.claim())).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
});

test('what is on air in a region that does not answer, though its link works, stays refused', async () => {
  using world = twoRegions();
  world.eu.others.publish(onAir, { streams: [onAirAt(0, 'demo')] });
  await expect.poll(() => world.us.elsewhere.homeOf(stream)?.region).toBe('eu');
  world.eu.others.serve(streamHeads, () => new Promise(() => {}));
  expect(await refusalOf(world.us.claim())).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
  expect(world.us.outcomes).toEqual(['busy']);
});

test('what this log has of a stream on air holds as well where its home does not answer', async () => {
  using world = twoRegions();
  await world.us.write(relayInto([], broadcast().entries));
  world.regions.leave('eu', 'n1');
  expect(await refusalOf(world.us.claim())).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
});

test('a region that is 400 ms away is waited for, and asks none of its edges of what is on air', async () => {
  using world = twoRegions({ roundTripMs: 400 });
  await world.eu.write(broadcast().entries);
  expect(await refusalOf(world.us.claim())).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
  expect(world.eu.askedEdges).toEqual([]);
});

test('a stream whose end was relayed in one snapshot begins here while its home is cut off', async () => {
  using world = twoRegions();
  world.regions.cut('us', 'eu');
  await world.us.write([relayedAtOnce(broadcast().end().entries)]);
  expect(await refusalOf(world.us.claim())).toBe('begins');
});

test('a stream whose broadcast was relayed in one snapshot stays refused while its home is cut off', async () => {
  using world = twoRegions();
  world.regions.cut('us', 'eu');
  await world.us.write([relayedAtOnce(broadcast().entries)]);
  expect(await refusalOf(world.us.claim())).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
});

test('a stream that ended before the cut begins in the region that is cut off, behind what that region has of it', async () => {
  using world = twoRegions();
  world.eu.others.publish(onAir, { streams: [onAirAt(0, 'demo', { isOnAir: false })] });
  await expect.poll(() => world.us.elsewhere.homeOf(stream)?.isOnAir).toBe(false);
  world.regions.cut('us', 'eu');
  const { self } = await world.us.claim();
  expect(splitEpoch(self.epoch)).toEqual({ term: 1, regionOrdinal: 1, n: 0 });
});

test('a claim goes on where another region answers nothing sensible', async () => {
  using world = twoRegions();
  world.regions.leave('eu', 'n1');
  expect(await refusalOf(world.us.claim())).toBe('begins');
});

/** The result, where it does not come from waiting for a rival to the end. */
const unlessWaited = <T>(work: Promise<T>): Promise<T> => {
  const late = (): never => {
    throw new Error('it waited for the rival to the end');
  };
  return within(work, { clock: systemClock, ms: acrossTimes.rivalMs, late });
};

// Goal: a stream does not begin in two regions at once. Method: both claim in the same moment, for many streams. Whoever is second lets the first go on.
test('of two regions that claim a stream at once exactly one begins, and the other is told where', async () => {
  using world = twoRegions();
  const streams = Array.from({ length: 20 }, (_, index) => StreamId.parse(`first-${index}`));
  const claims = streams.map((one) =>
    Promise.all([refusalOf(world.eu.claim(one)), refusalOf(world.us.claim(one))]),
  );
  const all = await unlessWaited(Promise.all(claims));
  for (const answers of all) {
    expect(answers).toContain('begins');
    expect(answers).toContainEqual(expect.objectContaining({ code: 'STREAM_BUSY' }));
  }
});

/** A stream for which that region is first in rendezvous order. */
const firstAt = (region: (typeof ids)[number]): StreamId => {
  const claimants = ids.map((id) => ({ id, weight: 1 }));
  const streams = Array.from({ length: 20 }, (_, index) => StreamId.parse(`rival-${index}`));
  return streams.find((one) => order(one, claimants)[0]?.id === region) ?? stream;
};

test.each(ids)(
  'a rival that begins nothing is waited for, 2 s at most, where %s is first in line',
  async (first) => {
    using world = twoRegions();
    const one = firstAt(first);
    world.eu.others.publish(claiming, { stream: one, isOver: false });
    await Promise.resolve();
    expect(await refusalOf(world.us.claim(one))).toBe('begins');
    expect(world.us.outcomes).toEqual(['waited', 'begins']);
  },
);

// Goal: no stream begins twice. Method: the second in line is through before the first one asks. It writes its `open` later, and tells nobody that it
// is on air: it still waits for a fold.
test('a region that is first in line waits for a rival that is through, and asks it once more', async () => {
  using world = twoRegions();
  const one = firstAt('us');
  await world.us.write(relayInto([], broadcast().end().entries), one);
  const { promise: fold, reject: refuse } = Promise.withResolvers<never>();
  world.us.others.serve(streamFold, () => fold);
  const written = world.eu.slowOpen();
  const theirs = refusalOf(world.eu.claim(one));
  await expect.poll(() => world.eu.outcomes).toEqual(['begins']);
  const ours = refusalOf(world.us.claim(one));
  await expect.poll(() => world.us.outcomes).toEqual(['waited']);
  written();
  expect(await ours).toMatchObject({ code: 'STREAM_BUSY', region: 'eu' });
  refuse(new Error('it was only held up'));
  expect(await theirs).toBe('begins');
});

// Goal: a stream does not begin in two regions though two nodes of the rival claim it. Method: one of the two loses, and says that it is over; the other one goes on.
test('a region claims a stream until each of its nodes that claim it has begun or given up', async () => {
  using world = twoRegions();
  const one = firstAt('us');
  const [winner, loser] = ['eu-n1', 'eu-n2'].map((node) => NodeId.parse(node));
  const tell = (node: NodeId | undefined, isOver: boolean) =>
    world.eu.others.publish(claiming, { stream: one, isOver, node });
  tell(winner, false);
  tell(loser, false);
  await Promise.resolve();
  const ours = refusalOf(world.us.claim(one));
  await expect.poll(() => world.us.outcomes).toEqual(['waited']);
  tell(loser, true);
  const options = { key: one, withinMs: 1000 };
  const { isClaiming } = await world.us.others.call(
    RegionId.parse('eu'),
    streamHeads,
    { stream: one },
    options,
  );
  await world.eu.write(broadcast().entries, one);
  tell(winner, true);
  expect({ isClaiming, ours: await ours }).toMatchObject({
    isClaiming: true,
    ours: { code: 'STREAM_BUSY', region: 'eu' },
  });
});

test('a rival that gave up is not waited for any longer', async () => {
  using world = twoRegions();
  const one = firstAt('us');
  world.eu.others.publish(claiming, { stream: one, isOver: false });
  await Promise.resolve();
  const ours = refusalOf(world.us.claim(one));
  await expect.poll(() => world.us.outcomes).toEqual(['waited']);
  world.eu.others.publish(claiming, { stream: one, isOver: true });
  expect(await unlessWaited(ours)).toBe('begins');
});
