/** A link to what is no longer kept, and a viewer who would rather wait. */
import { describe, expect, test } from 'vitest';
import { cutToldMs, isStarting } from '../../../../../actors/edge-delivery/viewing/page-state.ts';
import { page, type PageUnderTest } from './page-under-test.ts';

test('a link to a moment that is no longer kept says so for a while, and not after the next beginning', () => {
  const cut = page()
    .hears('live')
    .tell({ kind: 'loaded', hasPicture: true, isLive: true, isCut: true })
    .tell({ kind: 'started', isMuted: false })
    .ticks({ behindSeconds: 45 });
  expect({ seen: cut.seen, hint: cut.view.hint }).toEqual({
    seen: 'behind [0:45 behind grey]',
    hint: 'oldest',
  });
  expect(cut.ticks({}, cutToldMs).view.hint).toBeUndefined();
  const again = cut.tell({ kind: 'wished', wish: 'otherFormat' }).plays();
  expect(again.view.hint).toBeUndefined();
});

describe('a viewer who would rather wait', () => {
  const waits = (at: PageUnderTest) => at.tell({ kind: 'wished', wish: 'wait' });

  test('while the stream is asked about gets a button and no player', () => {
    const asking = page();
    expect(isStarting(asking.state)).toBe(true);
    const waiting = waits(asking).hears('live');
    expect({ seen: waiting.seen, load: waiting.state.load, isStarting: isStarting(waiting.state) }).toEqual({
      seen: 'ready [LIVE live]',
      load: { kind: 'nothing' },
      isStarting: false,
    });
  });

  test('while the player loads gets a button at once, and the picture when it is pressed', () => {
    const loading = page().hears('live');
    expect(isStarting(loading.state)).toBe(true);
    const waiting = waits(loading);
    expect({ seen: waiting.seen, action: waiting.view.action }).toEqual({
      seen: 'ready [LIVE grey]',
      action: 'play',
    });
    const refused = waiting.tell({ kind: 'startRefused' }).stands(1000, { isPaused: true });
    expect({ seen: refused.seen, isStarting: isStarting(refused.state) }).toEqual({
      seen: 'ready [LIVE live]',
      isStarting: false,
    });
    expect(refused.tell({ kind: 'wished', wish: 'play' }).ticks({ isPaused: false }).seen).toBe(
      'live [LIVE live]',
    );
  });

  test('changes his mind while it still loads', () => {
    const again = waits(page().hears('live')).tell({ kind: 'wished', wish: 'play' });
    expect({ seen: again.seen, isStarting: isStarting(again.state) }).toEqual({
      seen: 'loading [LIVE grey]',
      isStarting: true,
    });
  });
});
