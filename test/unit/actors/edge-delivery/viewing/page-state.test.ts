/** Every change of the page's state, and what a viewer sees of each. */
import { describe, expect, test } from 'vitest';
import { live, page, PageUnderTest } from './page-under-test.ts';

describe('what is seen of a stream', () => {
  test.for<[string, () => PageUnderTest, string]>([
    ['nothing is known yet', () => page(), 'connecting [CONNECTING grey]'],
    ['it has not begun', () => page().hears('notBegun'), 'notBegun [NOT STARTED grey]'],
    ['it is loading', () => page().hears('live'), 'loading [LIVE grey]'],
    ['it plays live', () => live(), 'live [LIVE live]'],
    ['it plays behind live', () => live().ticks({ behindSeconds: 45 }), 'behind [0:45 behind grey]'],
    ['it is paused live', () => live().ticks({ isPaused: true }), 'paused [PAUSED grey]'],
    [
      'it is paused behind',
      () => live().ticks({ isPaused: true, behindSeconds: 61 }),
      'paused [1:01 behind grey]',
    ],
    ['its publisher is away', () => live().hears('interrupted').ticks(), 'interrupted [INTERRUPTED away]'],
    ['it has ended', () => page().hears('ended'), 'ended [ENDED grey]'],
    ['it is a recording', () => page().hears('recording'), 'recording [RECORDING grey]'],
    ['it was removed', () => page().answers('removed'), 'removed [REMOVED grey]'],
    ['it is unknown', () => page().answers('unknown'), 'unknown [NOT FOUND grey]'],
    ['nobody answers', () => page().answers('none').answers('none'), 'offline [OFFLINE grey]'],
    ['it may not start by itself', () => page(false).hears('live'), 'ready [LIVE live]'],
    [
      'the browser refuses to start it',
      () => page().hears('live').tell({ kind: 'startRefused' }).ticks({ isPaused: true }),
      'ready [LIVE live]',
    ],
  ])('%s', ([, make, seen]) => expect(make().seen).toBe(seen));

  test('every state without a moving picture has words or a thing to press', () => {
    const still = [
      page().hears('notBegun'),
      page().hears('ended'),
      page().hears('recording'),
      page().answers('removed'),
      page().answers('unknown'),
      page(false).hears('live'),
      live().hears('interrupted').stands(4000),
    ];
    const silent = still.filter(({ view }) => view.headline === '' && view.action === undefined);
    expect(silent.map(({ seen }) => seen)).toEqual([]);
  });
});

describe('changes without a reload', () => {
  test('a broadcast that begins is loaded and played', () => {
    const begun = page().hears('notBegun').hears('live');
    expect(begun.state.load).toMatchObject({ kind: 'live', number: 1 });
    expect(begun.plays().seen).toBe('live [LIVE live]');
  });

  test('one that ends is never shown as live, its rest is played, then its recording is offered', () => {
    const over = live().hears('recording').ticks();
    expect({ seen: over.seen, load: over.state.load.kind }).toEqual({
      seen: 'ended [ENDED grey]',
      load: 'live',
    });
    over.ticks({ isEnded: true, isPaused: true });
    expect({ seen: over.seen, action: over.view.action }).toEqual({
      seen: 'recording [RECORDING grey]',
      action: 'recording',
    });
  });

  test('one that ends while its player waits for more is over at once', () => {
    expect(live().hears('interrupted').stands(4000).hears('ended').stands(500).seen).toBe(
      'ended [ENDED grey]',
    );
  });

  test('one that ends while its player cannot load is not asked for again', () => {
    const over = live().tell({ kind: 'failed', why: 'unreachable' }).hears('ended').ticks({}, 60_000);
    expect({ load: over.state.load.kind, seen: over.seen }).toEqual({
      load: 'nothing',
      seen: 'ended [ENDED grey]',
    });
  });

  test('one whose rest cannot be had is over', () => {
    const over = live().hears('ended').tell({ kind: 'failed', why: 'unreachable' });
    expect({ load: over.state.load.kind, seen: over.seen }).toEqual({
      load: 'nothing',
      seen: 'ended [ENDED grey]',
    });
  });

  test('a new broadcast of an ended one is loaded anew', () => {
    const again = live().hears('ended').ticks({ isEnded: true }).hears('live');
    expect(again.state.load).toMatchObject({ kind: 'live', number: 2 });
  });

  test('a new broadcast that came between two questions is loaded when the old one has been played', () => {
    const again = live().ticks({ isEnded: true, isPaused: true });
    expect(again.state.loads).toBe(1);
    expect(again.hears('live').state.load).toMatchObject({ kind: 'live', number: 2 });
  });

  test('a player that is at its end before the page hears that the broadcast is over plays nothing again', () => {
    const over = live()
      .hears('interrupted')
      .ticks({ isEnded: true, isPaused: true })
      .hears('interrupted')
      .ticks();
    expect(over.state.loads).toBe(1);
    expect(over.hears('recording').ticks().seen).toBe('recording [RECORDING grey]');
  });

  test('what comes as a recording where live was wanted is not played as live', () => {
    const over = page().hears('live').tell({ kind: 'loaded', hasPicture: true, isLive: false, isCut: false });
    expect(over.state.media.kind).toBe('failed');
    expect(over.hears('recording').seen).toBe('recording [RECORDING grey]');
  });

  test('an interrupted broadcast goes on in the same player', () => {
    const back = live().hears('interrupted').stands(4000);
    expect(back.view).toMatchObject({ kind: 'interrupted', picture: 'dimmed' });
    back.hears('live').ticks();
    expect({ seen: back.seen, loads: back.state.loads }).toEqual({ seen: 'live [LIVE live]', loads: 1 });
  });

  test('what is still in the buffer plays on while the publisher is away, with a word', () => {
    expect(live().hears('interrupted').ticks().view).toMatchObject({ headline: '', hint: 'away' });
  });

  test('a stream that is removed while it plays stops', () => {
    const gone = live().answers('removed');
    expect({ seen: gone.seen, load: gone.state.load.kind }).toEqual({
      seen: 'removed [REMOVED grey]',
      load: 'nothing',
    });
  });

  test('one lone answer that a known stream is unknown is not believed', () => {
    expect(live().answers('unknown').seen).toBe('live [LIVE live]');
    expect(live().answers('unknown').answers('unknown').seen).toBe('unknown [NOT FOUND grey]');
  });

  test('a stream that was unknown and is created is followed', () => {
    expect(page().answers('unknown').hears('notBegun').seen).toBe('notBegun [NOT STARTED grey]');
  });
});

describe('a recording', () => {
  const watched = () => page().hears('recording').tell({ kind: 'wished', wish: 'recording' }).plays();

  test('plays when it is asked for, and is not live', () => {
    expect({ seen: watched().seen, load: watched().state.load.kind }).toEqual({
      seen: 'playingRecording [RECORDING grey]',
      load: 'recording',
    });
  });

  test('is not taken from its viewer by a new broadcast, which is offered', () => {
    const offered = watched().hears('live').ticks();
    expect({ seen: offered.seen, hint: offered.view.hint }).toEqual({
      seen: 'playingRecording [RECORDING grey]',
      hint: 'live',
    });
    expect(offered.tell({ kind: 'wished', wish: 'live' }).state.load.kind).toBe('live');
  });

  test('that fails while a new broadcast is on air is tried again, until it has failed for good', () => {
    const failing = watched().tell({ kind: 'failed', why: 'unreachable' }).hears('live');
    expect(failing.state.load.kind).toBe('recording');
    expect(failing.seen).toBe('reconnecting [RECONNECTING grey]');
    expect(failing.ticks().plays().seen).toBe('playingRecording [RECORDING grey]');
    for (let count = 0; count < 5; count += 1)
      failing.tell({ kind: 'failed', why: 'unreachable' }).ticks({}, 9000);
    expect(failing.hears('live').state.load.kind).toBe('live');
  });

  test('that is at its end makes room for a new broadcast', () => {
    const done = watched().ticks({ isEnded: true });
    expect(done.seen).toBe('recording [RECORDING grey]');
    expect(done.hears('live').state.load.kind).toBe('live');
  });
});

describe('failures', () => {
  test('of an edge are tried again with growing pauses, at the same place, for as long as the stream is on air', () => {
    const page = live();
    const waits: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      const from = page.state.loads;
      page.tell({ kind: 'failed', why: 'unreachable' });
      let waited = 0;
      for (; page.state.loads === from; waited += 500) page.ticks();
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
    expect(page.state.load).toMatchObject({ kind: 'live', isResumed: true });
    expect(page.view).toMatchObject({ kind: 'reconnecting', picture: 'dimmed' });
  });

  test('before anything played are told over the poster, for there is no last picture', () => {
    const page = new PageUnderTest().hears('live').tell({ kind: 'failed', why: 'unreachable' });
    expect(page.view).toMatchObject({
      kind: 'reconnecting',
      picture: 'poster',
      detail: 'The page tries again by itself.',
    });
    expect(page.answers('none').answers('none').view).toMatchObject({ kind: 'offline', picture: 'poster' });
    const failed = live().tell({ kind: 'failed', why: 'unreachable' });
    expect(failed.view).toMatchObject({ picture: 'dimmed', detail: 'The picture goes on from here.' });
    expect(failed.ticks({ positionSeconds: 0 }).view.picture).toBe('poster');
  });

  test('of the media end after three, and may be tried again by hand', () => {
    const page = live();
    for (let count = 0; count < 3; count += 1)
      page.tell({ kind: 'failed', why: 'unplayable' }).ticks({}, 9000);
    expect({ seen: page.seen, action: page.view.action }).toEqual({
      seen: 'cannotPlay [NOT PLAYING grey]',
      action: 'retry',
    });
    expect(page.tell({ kind: 'wished', wish: 'retry' }).seen).toBe('loading [LIVE grey]');
  });

  test('a start counts them from nought again', () => {
    expect(live().tell({ kind: 'failed', why: 'unreachable' }).ticks().plays().state.failures).toBe(0);
  });

  test('a picture that moves is not covered because nobody answers', () => {
    expect(live().answers('none').answers('none').ticks().seen).toBe('live [LIVE live]');
    expect(live().answers('none').answers('none').stands(4000).seen).toBe('offline [OFFLINE grey]');
  });

  test('a laptop without a network is told so', () => {
    expect(page().answers('none', true).answers('none', true).view.headline).toBe('You are offline');
  });

  test('a picture that stands still is waited for without words', () => {
    expect(live().stands(4000).view).toMatchObject({ kind: 'loading', headline: '', isBusy: true });
  });

  test('an unknown stream is asked for again by hand', () => {
    const unknown = page().answers('unknown').tell({ kind: 'wished', wish: 'retry' });
    expect(unknown.seen).toBe('connecting [CONNECTING grey]');
  });
});

describe('a machine that slept', () => {
  test('is taken back to live when its viewer was live, again when the first jump led nowhere', () => {
    const woken = live().ticks({}, 600_000).ticks({ behindSeconds: 590 });
    expect(woken.state.resyncs).toBe(1);
    expect(woken.ticks({ behindSeconds: 590 }).state.resyncs).toBe(1);
    expect(woken.ticks({ behindSeconds: 590 }, 3000).state.resyncs).toBe(2);
    expect(woken.ticks({ behindSeconds: 0 }, 3000).state.resyncs).toBe(2);
  });

  test('leaves a viewer alone who goes back later', () => {
    const woken = live().ticks({}, 600_000).ticks().ticks({}, 9000).ticks({}, 9000).ticks({}, 9000);
    expect(woken.ticks({ behindSeconds: 45 }).state.resyncs).toBe(0);
  });

  test('leaves a viewer who was behind, or paused, where they were, and says how far that is', () => {
    const behind = live().ticks({ behindSeconds: 45 }).ticks({ behindSeconds: 645 }, 600_000);
    expect({ resyncs: behind.state.resyncs, seen: behind.seen }).toEqual({
      resyncs: 0,
      seen: 'behind [10:45 behind grey]',
    });
    const paused = live().ticks({ isPaused: true }).ticks({ behindSeconds: 600 }, 600_000);
    expect({ resyncs: paused.state.resyncs, seen: paused.seen }).toEqual({
      resyncs: 0,
      seen: 'paused [10:00 behind grey]',
    });
  });

  test('a tab whose timers were held back and that played on is left alone', () => {
    expect(live().ticks({}, 60_000).ticks().state.resyncs).toBe(0);
  });
});

describe('what a viewer wishes', () => {
  test('play begins what may not start by itself', () => {
    expect(page(false).hears('live').tell({ kind: 'wished', wish: 'play' }).state.load.kind).toBe('live');
  });

  test('live takes a viewer who is behind to the live edge, in the same player', () => {
    const back = live().ticks({ behindSeconds: 45 }).tell({ kind: 'wished', wish: 'live' });
    expect({ resyncs: back.state.resyncs, loads: back.state.loads }).toEqual({ resyncs: 1, loads: 1 });
  });

  test('another format goes on at the same place', () => {
    const other = live().tell({ kind: 'wished', wish: 'otherFormat' });
    expect(other.state.load).toMatchObject({ kind: 'live', number: 2, isResumed: true });
  });

  test('play of a player that the browser kept from starting is a start', () => {
    const pressed = page().hears('live').tell({ kind: 'startRefused' }).ticks();
    expect(pressed.seen).toBe('live [LIVE live]');
  });
});

test('sound that the browser took is offered until it is on', () => {
  const muted = page().hears('live').tell({ kind: 'started', isMuted: true }).ticks({ isMuted: true });
  expect(muted.view.hint).toBe('unmute');
  expect(muted.ticks({ isMuted: false }).ticks({ isMuted: true }).view.hint).toBeUndefined();
});

test('a broadcast of sound alone is told apart', () => {
  const sound = page()
    .hears('live')
    .tell({ kind: 'loaded', hasPicture: false, isLive: true, isCut: false })
    .tell({ kind: 'started', isMuted: false });
  expect(sound.ticks().view.isAudioOnly).toBe(true);
  expect(live().view.isAudioOnly).toBe(false);
});
