/** A process that stood still, and finds in its sockets what a publisher sent meanwhile. */
import { expect, test } from 'vitest';
import {
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  wallOfMedia,
  warningsOf,
} from '../../../support/ingest/flv-builders.ts';

const beganMs = 10_500; // in the middle of a GOP
const tags = feed({ seconds: 80 });
const unharmed = segmentsOf(play(tags, { wallMs: wallOfMedia() }));

// All that was sent meanwhile comes at once when it goes on, a tag each 2 ms.
test.each([15_000, 20_000, 40_000])(
  'after %i ms the feed goes on: one period, every segment, no warning',
  (frozenMs) => {
    const mediaMs = wallOfMedia();
    let burstMs = beganMs + frozenMs;
    const wallMs = (index: number, tag: (typeof tags)[number]): number => {
      const ownMs = mediaMs(index, tag);
      return ownMs <= beganMs ? ownMs : Math.max(ownMs, (burstMs += 2));
    };
    const ran = (monotonicMs: number): number =>
      monotonicMs <= beganMs ? monotonicMs : monotonicMs - frozenMs;
    const played = play(tags, { wallMs, ran });
    expect(refusalsOf(played)).toEqual([]);
    expect(warningsOf(played)).toEqual([]);
    expect(periodsOf(played)).toHaveLength(1);
    expect(segmentsOf(played)).toEqual(unharmed);
  },
);

// By this the owner tells a ghost from a publisher.
test('the publisher is told as silent only for the time in which this process listened', () => {
  const { session, now } = play(tags.slice(0, 500), { wallMs: wallOfMedia(), closes: false });
  const thawed = { ...now, monotonicMs: now.monotonicMs + 15_000, runningMs: now.runningMs + 250 };
  expect(session.onTick(thawed)).toEqual([]);
  expect(session.stats(thawed).lastPacketAgeMs).toBe(250);
});
