/** The clocks of other regions as links have measured them, through a cut (R12). */
import { expect, test } from 'vitest';
import { RegionId } from '../../../../cluster/model/ids.ts';
import type { RegionLink } from '../../../../cluster/region/other-regions.ts';
import { RegionClock } from '../../../../cluster/region/region-clock.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const linkTo = (isUp: boolean): RegionLink => ({
  region: eu,
  isUp,
  sinceMs: 0,
  roundTripMs: isUp ? 1 : undefined,
  offsetMs: isUp ? -30_000 : undefined,
  topologyVersion: undefined,
  gateways: [],
  bytesIn: 0,
  bytesOut: 0,
});

// Goal: who asks for the first time while a link is cut gets what was measured before. Method: links that a test turns.
test('what a link has measured counts through a cut, though nobody asked before it', () => {
  const state = { link: linkTo(false), tell: (_link: RegionLink): void => {} };
  const turn = (isUp: boolean): void => {
    state.link = linkTo(isUp);
    state.tell(state.link);
  };
  const clock = new RegionClock(us, {
    regions: [eu],
    links: () => [state.link],
    onLink: (listener) => {
      state.tell = listener;
      return () => {};
    },
  });
  const before = clock.aheadMs(eu);
  turn(true);
  turn(false);
  const [common, latest] = [clock.common(100_000), clock.latest(100_000)];
  expect({ before, cut: clock.aheadMs(eu), common, latest, other: clock.aheadMs(us) }).toEqual({
    before: 0,
    cut: -30_000,
    common: 70_000,
    latest: 100_000,
    other: 0,
  });
});
