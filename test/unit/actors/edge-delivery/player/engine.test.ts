/** How far behind live the page's players play, by what manifests ask for. */
import { expect, test } from 'vitest';
import { delaySeconds, holdBackOf } from '../../../../../actors/edge-delivery/player/engine.browser.ts';

test('only the shortest hold-back is undercut: one of long segments or for outages is kept whole', () => {
  expect([6, 6.5, 10, 30].map(delaySeconds)).toEqual([4, 6.5, 10, 30]);
});

test.for([
  ['#EXTM3U\n#EXT-X-SERVER-CONTROL:HOLD-BACK=10.0\n', 10],
  ['#EXTM3U\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0\n', 6],
  ['#EXTM3U\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1.5\n', undefined],
  ['#EXTM3U\n', undefined],
] as const)('the hold-back of %j is %s', ([playlist, seconds]) => {
  expect(holdBackOf(playlist)).toBe(seconds);
});
