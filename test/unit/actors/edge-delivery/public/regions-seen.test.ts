/** What viewers are told of a stream whose home is another region, linked or cut off (R3). */
import { describe, expect, test } from 'vitest';
import {
  certainSilenceMs,
  seenStanding,
  type RegionsPart,
} from '../../../../../actors/edge-delivery/public/regions-seen.ts';
import type { StreamStanding } from '../../../../../actors/edge-delivery/public/stream-state.ts';
import type { StreamOnAir } from '../../../../../cluster/contract/regions/on-air.ts';
import { Epoch, RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { topologyOfOne } from '../../../../../cluster/region/topology/topology.ts';
import { MemoryElsewhere, onAirAt } from '../../../../support/regions/memory-elsewhere.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const demo = StreamId.parse('demo');
const us = RegionId.parse('us');
const eu = RegionId.parse('eu');
const ofEu = onAirAt(1, 'demo').epoch;
const nothing = Epoch.parse(0);

interface Told {
  readonly epoch?: Epoch;
  readonly told?: Partial<StreamOnAir>;
  readonly isUp?: boolean;
  readonly heardAtMs?: number;
  readonly aheadMs?: number;
  readonly nowMs?: number;
}

function seen(standing: StreamStanding, told: Told) {
  const { epoch = nothing, heardAtMs = 0 } = told;
  return seenStanding(demo, { standing, epoch, heardAtMs }, partWith(told));
}

/** For how long the publisher is silent for certain, where the log here is for so long. */
const certain = (silentMs: number, told: Told): number =>
  certainSilenceMs(demo, { epoch: told.epoch ?? nothing, silentMs }, partWith(told));

/** An edge of `us`, whose link to `eu` is as it is for 60 s. */
function partWith({ told, isUp = true, aheadMs = 0, nowMs = 100_000 }: Told): RegionsPart {
  const clock = new JumpingClock();
  const elsewhere = new MemoryElsewhere(['us', 'eu'], clock);
  if (told !== undefined) elsewhere.tell('eu', onAirAt(1, 'demo', told));
  clock.nowMs = nowMs;
  const link = { region: eu, isUp, sinceMs: nowMs - 60_000, roundTripMs: 1, offsetMs: 0, topologyVersion: 1 };
  return {
    region: us,
    topology: {
      version: 1,
      regions: [...topologyOfOne(us, 0).regions, ...topologyOfOne(eu, 1).regions],
    },
    elsewhere,
    others: { links: () => [{ ...link, gateways: [], bytesIn: 0, bytesOut: 0 }] },
    clock,
    aheadMs: (region) => (region === eu ? aheadMs : Number.NaN),
  };
}

const notBegun: StreamStanding = { state: 'notBegun', sinceMs: undefined };
const interrupted: StreamStanding = { state: 'interrupted', sinceMs: 5 };
const recording: StreamStanding = { state: 'recording', sinceMs: 7 };
const cut = { region: 'eu', sinceMs: 40_000 };

describe('a stream of another region that is linked', () => {
  test('is live as soon as that region says so, though the log here is still empty', () => {
    expect(seen(notBegun, { told: {} })).toEqual({ state: 'live', sinceMs: 1_000_000, unheard: undefined });
  });
  test('has not begun while it has no segment there', () => {
    expect(seen(notBegun, { told: { nextNumber: 0 } })).toMatchObject({
      state: 'notBegun',
      unheard: undefined,
    });
  });
  test('is what the log here says otherwise', () => {
    expect(seen(interrupted, { told: {}, epoch: ofEu })).toEqual({ ...interrupted, unheard: undefined });
  });
});

describe('a stream of a region that is cut off', () => {
  test('is told with that region and since when it is not heard', () => {
    expect(seen(interrupted, { told: {}, epoch: ofEu, isUp: false })).toEqual({
      ...interrupted,
      unheard: cut,
    });
  });
  test('is never said to have arrived until later than it did, by a node that began during the cut', () => {
    const sinceOf = (heardAtMs: number) =>
      seen(interrupted, { told: {}, epoch: ofEu, isUp: false, heardAtMs }).unheard?.sinceMs;
    expect({ heardBefore: sinceOf(30_000), heardAfter: sinceOf(50_000) }).toEqual({
      heardBefore: 30_000,
      heardAfter: 40_000,
    });
  });
  test.each([-3_600_000, 3_600_000])(
    'arrived until when it did by the clock here, though the clock over there is %i ms ahead',
    (aheadMs) => {
      const sinceOf = (heardHereMs: number) => {
        const heardAtMs = 10_000_000 + heardHereMs + aheadMs;
        return seen(interrupted, {
          told: {},
          epoch: ofEu,
          isUp: false,
          heardAtMs,
          aheadMs,
          nowMs: 10_100_000,
        }).unheard?.sinceMs;
      };
      expect({ heardBefore: sinceOf(30_000), heardAfter: sinceOf(50_000) }).toEqual({
        heardBefore: 10_030_000,
        heardAfter: 10_040_000,
      });
    },
  );
  test('is interrupted where none of it arrived before the cut', () => {
    expect(seen(notBegun, { told: {}, isUp: false })).toEqual({
      state: 'interrupted',
      sinceMs: 1_000_000,
      unheard: cut,
    });
  });
  test('is known by the epochs of its log where the node has heard nothing since it began', () => {
    expect(seen(interrupted, { epoch: ofEu, isUp: false })).toEqual({ ...interrupted, unheard: cut });
  });
  test('is a recording like any other where it ended before the cut, and says where it is on air again', () => {
    const over = seen(recording, { told: { isOnAir: false }, epoch: ofEu, isUp: false });
    const again = seen(recording, { told: {}, epoch: ofEu, isUp: false });
    expect({ over, again }).toEqual({
      over: { ...recording, unheard: undefined },
      again: { ...recording, unheard: cut },
    });
  });
  test('may be on air where nobody here has ever heard of it', () => {
    expect(seen(notBegun, { isUp: false })).toEqual({ ...notBegun, unheard: cut });
  });
});

test('a stream of this region says nothing of a cut', () => {
  const ofUs = onAirAt(0, 'demo').epoch;
  expect(seen(interrupted, { epoch: ofUs, isUp: false })).toEqual({ ...interrupted, unheard: undefined });
});

test('silence of a stream of another region counts 5 s later, as a cut may not be noticed yet', () => {
  expect([0, 5000, 8501].map((silentMs) => certain(silentMs, { epoch: ofEu }))).toEqual([0, 0, 3501]);
});

test('what was silent during a cut is not silent yet once the link works again', () => {
  expect(certain(600_000, { told: {}, epoch: ofEu })).toBe(55_000); // of the 60 s for which it has worked
});

test('silence counts as it is for a stream of this region, and beside a link that is down', () => {
  const ofUs = onAirAt(0, 'demo').epoch;
  const silences = {
    own: certain(3501, { epoch: ofUs }),
    cut: certain(3501, { epoch: ofEu, isUp: false }),
    empty: certain(3501, {}),
  };
  expect(silences).toEqual({ own: 3501, cut: 3501, empty: 3501 });
});
