/** Where the player begins, also after failures. */
import { expect, test } from 'vitest';
import { StartPlace } from '../../../../../actors/edge-delivery/player/start-place.browser.ts';

const first = { kind: 'live', number: 1, isResumed: false } as const;
const again = { kind: 'live', number: 2, isResumed: true } as const;

// As it once was: the second load began live, and a link with a time led to the wrong place whenever its first edge failed.
test('a link with a time leads there after loads that failed', () => {
  const place = new StartPlace(90);
  expect(place.of(first)).toEqual({ kind: 'at', seconds: 90 });
  place.reached(0, 0);
  expect(place.of(again)).toEqual({ kind: 'at', seconds: 90 });
  expect(place.of({ ...again, kind: 'recording' })).toEqual({ kind: 'at', seconds: 90 });
});

test('once begun a failure leads to where the viewer was, and a new load to its own beginning', () => {
  const place = new StartPlace(90);
  place.of(first);
  place.begun();
  place.reached(120, 45);
  expect(place.of(again)).toEqual({ kind: 'at', seconds: 120 });
  place.reached(0, 0);
  expect(place.of(again)).toEqual({ kind: 'at', seconds: 120 });
  expect(place.of(first)).toEqual({ kind: 'live' });
  expect(place.of({ ...first, kind: 'recording' })).toEqual({ kind: 'beginning' });
});

test('a place that is wished for while a load is under way is where that goes, or the next one begins', () => {
  const place = new StartPlace(90);
  place.of(first);
  place.want(30);
  expect(place.of(again)).toEqual({ kind: 'at', seconds: 30 });
  place.want(60);
  expect(place.begun()).toBe(60);
  place.of(again);
  expect(place.begun()).toBeUndefined();
});

test('another page begins where this one was, but for who watches live', () => {
  const place = new StartPlace(90);
  expect(place.lasting).toBe(90);
  place.of(first);
  place.begun();
  place.reached(120, 45);
  expect(place.lasting).toBe(120);
  place.reached(165, 1);
  expect(place.lasting).toBeUndefined();
  place.reached(30, undefined);
  expect(place.lasting).toBe(30);
});

test('what is older than all that is kept is cut, and nothing else is', () => {
  const place = new StartPlace(6);
  place.of(first);
  expect({ kept: place.isCut(0), unknown: place.isCut(undefined), gone: place.isCut(48) }).toEqual({
    kept: false,
    unknown: false,
    gone: true,
  });
  const live = new StartPlace(undefined);
  live.of(first);
  expect(live.isCut(48)).toBe(false);
});
