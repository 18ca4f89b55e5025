/** A player that gives no picture, though the edge says that there is one: a library may wait for ever for what will not come. */
import { describe, expect, test } from 'vitest';
import { live, page, type PageUnderTest } from './page-under-test.ts';

const facts = ({ state }: PageUnderTest) => ({
  standstills: state.standstills.count,
  loads: state.loads,
  media: state.media.kind,
});

describe('a picture that stands still', () => {
  test('is waited for at first, and then loaded again from the next edge, where it stood', () => {
    const waits = live().stands(14_000);
    expect(facts(waits)).toEqual({ standstills: 0, loads: 1, media: 'playing' });
    const again = waits.stands(2500);
    expect({ ...facts(again), load: again.state.load }).toEqual({
      standstills: 1,
      loads: 2,
      media: 'loading',
      load: { kind: 'live', number: 2, isResumed: true },
    });
  });

  test('at its very start is loaded again, too', () => {
    expect(facts(page().hears('live').stands(16_500))).toEqual({
      standstills: 1,
      loads: 2,
      media: 'loading',
    });
  });

  test('is given more time after each standstill, also where some of it moved in between, as its viewer may only be slow', () => {
    const again = page().hears('live').stands(16_500);
    expect(facts(again.stands(25_000))).toEqual({ standstills: 1, loads: 2, media: 'loading' });
    expect(facts(again.stands(10_000))).toEqual({ standstills: 2, loads: 3, media: 'loading' });
    expect(facts(again.plays().stands(40_000))).toEqual({ standstills: 2, loads: 3, media: 'playing' });
    expect(facts(again.stands(6000))).toEqual({ standstills: 3, loads: 4, media: 'loading' });
  });

  test('is given no more time once standstills are long ago', () => {
    const again = live().stands(16_500).plays();
    for (let passedMs = 0; passedMs < 120_000; passedMs += 500) again.ticks();
    expect(facts(again.stands(16_500))).toEqual({ standstills: 2, loads: 3, media: 'loading' });
  });

  test.for<[string, (stands: PageUnderTest) => PageUnderTest]>([
    ['is paused', (at) => at.stands(60_000, { isPaused: true })],
    ['is seen by nobody', (at) => at.stands(60_000, { isHidden: true })],
    ['has been played to its end', (at) => at.stands(60_000, { isEnded: true })],
    ['slept', (at) => at.ticks({ positionSeconds: 0.5 }, 600_000).stands(14_000)],
    ['is of a broadcaster who is away', (at) => at.hears('interrupted').stands(60_000)],
    [
      'comes from a region that is cut off',
      (at) => at.hears('live', { region: 'eu', since: '18:03' }).stands(60_000),
    ],
    ['comes from an edge that does not answer', (at) => at.answers('none').stands(60_000)],
  ])('is left alone when it %s', ([, make]) => {
    expect(facts(make(live()))).toEqual({ standstills: 0, loads: 1, media: 'playing' });
  });

  test('is left alone where the browser refuses to begin', () => {
    const refused = page().hears('live').tell({ kind: 'startRefused' }).stands(60_000, { isPaused: true });
    expect(facts(refused)).toEqual({ standstills: 0, loads: 1, media: 'refused' });
  });
});
