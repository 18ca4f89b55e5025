/** Until when a region knows what was accepted in the others (A8). */
import { expect, test } from 'vitest';
import { RegionLag } from '../../../../../actors/comments/regions/region-lag.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../../../cluster/observe/logger.ts';
import { HandClock } from '../../../../support/regions/hand-clock.ts';

function rig() {
  const clock = new HandClock();
  const file = { wholeToMs: clock.nowMs, isGone: false };
  const store = {
    wholeTo: async () => {
      if (file.isGone) throw new Error('gone');
      return file.wholeToMs;
    },
  };
  const lag = new RegionLag({ store, regions: [RegionId.parse('us')], clock, logger });
  const behindMs = async (): Promise<number> => {
    await lag.look();
    return clock.nowMs - lag.knownToMs();
  };
  return { clock, file, behindMs };
}

// Goal: no page takes for known what has not come, until it has. Method: the file says when the other region was last read to its end; a cut of 5 minutes.
test('frames say until when all of another region came, once that is more than 5 s ago', async () => {
  const { clock, file, behindMs } = rig();
  await clock.pass(5000);
  const linked = await behindMs();
  await clock.pass(295_000);
  const cut = await behindMs();
  file.wholeToMs = clock.nowMs;
  expect({ linked, cut, healed: await behindMs() }).toEqual({ linked: 0, cut: 300_000, healed: 0 });
});

test('a node that has just begun says it as the file does, and one whose file is gone as it said before', async () => {
  const { clock, file, behindMs } = rig();
  file.wholeToMs -= 60_000;
  const begun = await behindMs();
  file.isGone = true;
  await clock.pass(1000);
  expect({ begun, gone: await behindMs() }).toEqual({ begun: 60_000, gone: 61_000 });
});

test('of a region that was never read to its end nothing counts as known', async () => {
  const { clock, file, behindMs } = rig();
  file.wholeToMs = 0;
  expect(await behindMs()).toBe(clock.nowMs);
});
