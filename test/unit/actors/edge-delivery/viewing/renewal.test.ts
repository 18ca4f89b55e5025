/** When a page loads itself anew, and what it keeps. */
import { expect, test } from 'vitest';
import {
  entryScriptOf,
  mayRenew,
  renewedAddress,
  unmarked,
} from '../../../../../actors/edge-delivery/viewing/renewal.ts';

const page = { seconds: undefined, format: 'hls', isMuted: false };
const watch = 'https://live.example/watch/demo';

test.for([
  ['a viewer who is live', watch, page, `${watch}?format=hls&renewed=1700`],
  ['one who went back', `${watch}?t=5`, { ...page, seconds: 90.7 }, `${watch}?t=90&format=hls&renewed=1700`],
  [
    'a frame, its options and its sound',
    `${watch}?start=7&muted&controls=0`,
    { ...page, isMuted: true },
    `${watch}?muted=1&controls=0&format=hls&renewed=1700`,
  ],
  ['one who took the sound back', `${watch}?muted`, page, `${watch}?format=hls&renewed=1700`],
] as const)('%s is kept', ([, address, facts, renewed]) => {
  expect(renewedAddress(address, facts, 1_700_123)).toBe(renewed);
  expect(unmarked(renewed)).not.toContain('renewed');
});

test('a page is renewed once in ten minutes', () => {
  const query = new URL(renewedAddress(watch, page, 1_700_000)).searchParams;
  expect([0, 599_000, 601_000].map((after) => mayRenew(query, 1_700_000 + after))).toEqual([
    false,
    false,
    true,
  ]);
  expect(mayRenew(new URLSearchParams(), 0)).toBe(true);
  expect(mayRenew(new URLSearchParams('renewed=x'), 0)).toBe(true);
});

test('the script that a page begins with is read out of it', () => {
  expect(entryScriptOf('<link><script type="module" src="/assets/watch-B1.js"></script>')).toBe(
    '/assets/watch-B1.js',
  );
  expect(entryScriptOf('<html>no</html>')).toBeUndefined();
});
