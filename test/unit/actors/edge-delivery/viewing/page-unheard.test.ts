/** What a viewer reads while the region that broadcasts is cut off from the one that he watches in. */
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../../../actors/edge-delivery/viewing/public-stream.ts';
import { live, page, type PageUnderTest } from './page-under-test.ts';

const cut = { region: 'eu', since: '18:03' };
const untilThen = 'You see what arrived until 18:03.';

describe('when the link to the home region is healed', () => {
  test('who was live is live again once the picture moves on, and asked to again until the player has got there', () => {
    const healed = live().hears('live', cut).ticks().stands(20_000, { behindSeconds: 25 }).hears('live');
    expect(healed.ticks().state.resyncs).toBe(1);
    expect(healed.ticks({ behindSeconds: 60 }, 3000).state.resyncs).toBe(2);
    expect(healed.ticks({ behindSeconds: 0 }, 3000).state.resyncs).toBe(2);
  });

  test('who was live is not jumped to where no media is yet, and is live again however late the first comes', () => {
    const healed = live().hears('live', cut).ticks().stands(20_000, { behindSeconds: 25 }).hears('live');
    expect(healed.stands(10_000, { behindSeconds: 35 }).state.resyncs).toBe(0);
    expect(healed.ticks().state.resyncs).toBe(1);
  });

  test('whose picture had stopped before the page heard of the cut is live again', () => {
    const stopped = live().ticks({ behindSeconds: 5 });
    for (const behindSeconds of [6, 7, 8, 9, 10]) stopped.stands(1000, { behindSeconds });
    const healed = stopped.hears('live', cut).stands(1000, { behindSeconds: 11 }).hears('live');
    expect(healed.ticks().state.resyncs).toBe(1);
  });

  test('whom the first jump brought nearly to live is brought there', () => {
    const healed = live().hears('live', cut).stands(20_000, { behindSeconds: 25 }).hears('live').ticks();
    expect(healed.ticks({ behindSeconds: 10 }, 3000).state.resyncs).toBe(2);
  });

  test('who was on the way to live when the link was cut again is brought there after that', () => {
    const again = live().hears('live', cut).stands(20_000, { behindSeconds: 25 }).hears('live').ticks();
    const healed = again.hears('live', cut).stands(30_000, { behindSeconds: 55 }).hears('live');
    expect(healed.ticks({ behindSeconds: 56 }).state.resyncs).toBe(2);
  });

  test('whose player only then learns how far it is behind is taken back to live, too', () => {
    const healed = live().hears('live', cut).stands(20_000).hears('live').ticks();
    expect(healed.state.resyncs).toBe(0);
    expect(healed.ticks({ behindSeconds: 60 }).state.resyncs).toBe(1);
  });

  test('whose player failed meanwhile is live again once it plays', () => {
    const failed = live().hears('live', cut).ticks().tell({ kind: 'failed', why: 'unreachable' });
    const unloaded = { positionSeconds: 0, behindSeconds: undefined, isPaused: true };
    const healed = failed.ticks(unloaded).hears('live').ticks({ isPaused: false }).plays();
    expect(healed.ticks({ behindSeconds: 60 }).state.resyncs).toBe(1);
  });

  // As it once was: the new player's place was compared to that of the one before, and taken for a way back.
  test('whose player failed meanwhile, and plays again within one tick, is live again too', () => {
    const failed = live()
      .ticks({ positionSeconds: 100 })
      .hears('live', cut)
      .ticks()
      .tell({ kind: 'failed', why: 'unreachable' });
    const healed = failed
      .hears('live')
      .tell({ kind: 'loaded', hasPicture: true, isLive: true, isCut: false })
      .tell({ kind: 'started', isMuted: false })
      .ticks({ positionSeconds: 0.4, behindSeconds: 60 });
    expect(healed.ticks().state.resyncs).toBe(1);
  });

  test('who goes back after it is left there', () => {
    const healed = live()
      .hears('live', cut)
      .ticks()
      .stands(20_000, { behindSeconds: 25 })
      .hears('live')
      .ticks()
      .ticks({ positionSeconds: 100, behindSeconds: 0 }, 1000);
    expect(healed.ticks({ positionSeconds: 80, behindSeconds: 20 }, 3000).state.resyncs).toBe(1);
  });

  test.for<[string, () => PageUnderTest]>([
    ['was behind', () => live().ticks({ behindSeconds: 45 }).hears('live', cut)],
    ['was behind and stood still', () => live().ticks({ behindSeconds: 45 }).hears('live', cut).stands(3000)],
    ['is paused', () => live().hears('live', cut).ticks().ticks({ isPaused: true })],
    [
      'went back meanwhile',
      () =>
        live()
          .ticks({ positionSeconds: 90 })
          .hears('live', cut)
          .ticks({ positionSeconds: 60, behindSeconds: 30 }),
    ],
  ])('who %s is left where he is', ([, make]) => {
    const healed = make().ticks({ behindSeconds: 65 }).hears('live');
    expect(healed.ticks({ isPaused: false, behindSeconds: 65 }).state.resyncs).toBe(0);
  });

  test('who pauses before the picture moves on is left where he is', () => {
    const healed = live().hears('live', cut).stands(20_000, { behindSeconds: 25 }).hears('live');
    const paused = healed.stands(1000, { isPaused: true });
    expect(paused.ticks({ isPaused: false, behindSeconds: 600 }).state.resyncs).toBe(0);
  });
});

describe('while the link to the home region is down', () => {
  test('the picture plays on from what arrived, and a line above it says so', () => {
    expect(live().hears('live', cut).ticks().view).toMatchObject({
      kind: 'unheard',
      badge: { text: 'LINK DOWN', tone: 'away' },
      headline: '',
      picture: 'video',
      hint: 'unheard',
      hintText: `The link to eu is down. ${untilThen}`,
    });
  });

  test('a picture that has gone as far as it arrived stays, and goes on by itself', () => {
    expect(live().hears('interrupted', cut).stands(4000).view).toMatchObject({
      kind: 'unheard',
      headline: 'The link to eu is down',
      detail: `${untilThen} It goes on by itself.`,
      picture: 'dimmed',
      action: undefined,
    });
  });

  test('a viewer who goes back into what arrived reads the same', () => {
    expect(live().hears('interrupted', cut).ticks({ behindSeconds: 300 }).view).toMatchObject({
      kind: 'unheard',
      hint: 'unheard',
      badge: { text: 'LINK DOWN' },
    });
  });

  test('a viewer who comes before the first picture reads that it is on air there', () => {
    const before = page().hears('interrupted', cut).tell({ kind: 'failed', why: 'unreachable' });
    expect(before.view).toMatchObject({
      kind: 'unheard',
      headline: 'The link to eu is down',
      detail: 'The broadcast is on air there. It starts here by itself.',
      picture: 'poster',
    });
  });

  test('a broadcast that nothing is known of has not begun as far as is known', () => {
    expect(page().hears('notBegun', cut).view).toMatchObject({
      kind: 'notBegun',
      headline: 'The broadcast has not begun',
      detail: 'That is what is known here: the link to eu is down since 18:03. It starts here by itself.',
    });
  });

  test('a recording whose stream is on air again there says that, and can be watched', () => {
    expect(page().hears('recording', cut).view).toMatchObject({
      kind: 'recording',
      action: 'recording',
      detail: 'You can watch it from the start. It is on air again in eu, and the link to there is down.',
    });
  });

  test('a broadcast that has ended and left nothing, and is on air again there, says that', () => {
    expect(page().hears('ended', cut).view).toMatchObject({
      kind: 'ended',
      badge: { text: 'LINK DOWN' },
      headline: 'The broadcast has ended',
      detail: 'It is on air again in eu, and the link to there is down. It starts here by itself.',
    });
  });

  test('nothing is said of it to a viewer who watches a recording', () => {
    const watching = page().hears('recording').tell({ kind: 'wished', wish: 'recording' }).plays();
    expect(watching.hears('recording', cut).ticks().view).toMatchObject({
      kind: 'playingRecording',
      hint: undefined,
    });
  });
});

test('after the heal the picture goes on in the same player, and nothing is said of the cut', () => {
  const back = live().hears('interrupted', cut).stands(10_000);
  const { number } = { number: 0, ...back.state.load };
  expect(back.hears('live').ticks().view).toMatchObject({ kind: 'live', hint: undefined, headline: '' });
  expect(back.state.load).toMatchObject({ kind: 'live', number });
});

test('a page that could load nothing during the cut tries again as soon as the link is back, and not before', () => {
  const waits = page().hears('interrupted', cut).tell({ kind: 'failed', why: 'unreachable' });
  const loadsBefore = waits.hears('interrupted', cut).state.loads;
  const loadsAfter = waits.hears('live').state.loads;
  expect({ loadsBefore, loadsAfter, media: waits.state.media.kind }).toEqual({
    loadsBefore: 1,
    loadsAfter: 2,
    media: 'loading',
  });
});

test('a broadcast that ended during the cut has ended when the link is back', () => {
  const over = live().hears('interrupted', cut).stands(4000).hears('recording').stands(3000);
  expect(over.view).toMatchObject({ kind: 'recording', headline: 'The broadcast has ended' });
});

test('a page reads since when nothing is heard in the time of its viewer, and takes nothing else for it', () => {
  const since = new Date(2026, 10, 30, 18, 3);
  const unheardIn = (unheard: unknown) => {
    const answer = readAnswer(200, { title: '', state: 'live', unheard });
    return answer.kind === 'stream' ? answer.stream.unheard : answer;
  };
  expect(unheardIn({ region: 'eu', since: since.toISOString() })).toEqual({
    region: 'eu',
    since: '18:03',
  });
  for (const garbage of [null, 'eu', { region: 'eu' }, { region: 1, since: 2 }, { region: 'eu', since: 'x' }])
    expect(unheardIn(garbage)).toBeUndefined();
});
