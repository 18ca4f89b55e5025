/** Until when a region knows what was accepted in the others (A8). */
import { expect, test } from 'vitest';
import { RegionLag } from '../../../../../actors/comments/regions/region-lag.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import type { RegionLink } from '../../../../../cluster/region/other-regions.ts';
import { HandClock } from '../../../../support/regions/hand-clock.ts';

const unknown = {
  roundTripMs: undefined,
  offsetMs: undefined,
  topologyVersion: undefined,
  gateways: [],
  bytesIn: 0,
  bytesOut: 0,
};

// Goal: no page takes for known what was said before its node began. Method: the node hears later how old the cut is; then the link comes back.
test('frames say the time of the cut, also where the node learns it later, until what was missed is taken', async () => {
  const clock = new HandClock();
  let link: RegionLink = { region: RegionId.parse('us'), isUp: false, sinceMs: clock.nowMs, ...unknown };
  const lag = new RegionLag({ links: () => [link] }, clock);
  const behindMs = (): number => clock.nowMs - lag.knownToMs();
  const first = behindMs();
  link = { ...link, sinceMs: clock.nowMs - 300_000 };
  const told = behindMs();
  link = { ...link, isUp: true, sinceMs: clock.nowMs };
  const healed = behindMs();
  await clock.pass(11_000);
  expect({ first, told, healed, later: behindMs() }).toEqual({
    first: 5000,
    told: 305_000,
    healed: 305_000,
    later: 0,
  });
});
