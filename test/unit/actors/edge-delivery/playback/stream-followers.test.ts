import { expect, test } from 'vitest';
import { StreamFollowers } from '../../../../../actors/edge-delivery/playback/stream-followers.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';

// Goal: streams whose end alone is of interest take no room from those that are played. Method: four places; three such streams, then players of four
// others, one after another.
test('streams that are followed for their end alone take half of the room at most, and give it up to players', () => {
  const clock = new JumpingClock();
  const followers = new StreamFollowers({
    clock,
    log: new MemoryIndexLog(),
    logger: silentLogger,
    metrics: noMetrics,
    maxStreams: 4,
    logDownSeconds: () => 0,
  });
  const spare = ['a', 'b', 'c'].map((id) => StreamId.parse(id));
  const areFollowed = () => spare.map((id) => followers.openSpare(id) !== undefined);
  expect(areFollowed()).toEqual([true, true, false]);
  for (const id of ['p', 'q', 'r', 's']) {
    clock.nowMs += 2000;
    followers.open(StreamId.parse(id)).touch();
  }
  expect(areFollowed()).toEqual([false, false, false]);
  followers.close();
  expect(areFollowed()).toEqual([false, false, false]);
});
