/** What follows from the media that is accepted fits into what carries it. */
import { expect, test } from 'vitest';
import { SourceOffer } from '../../../../cluster/contract/index-records.ts';
import { TranscodeTask } from '../../../../cluster/contract/transcode-task.ts';
import {
  lengthFactor,
  maxFramesPerSecond,
  maxKeyframeIntervalMs,
  maxPicturesOfSegment,
  maxSegmentMs,
} from '../../../../cluster/model/media-limits.ts';
import { maxTaskBytes } from '../../../../cluster/queue/task-queue.ts';
import { sampleTask } from '../../../support/ports/transcode-task.ts';

/** Of times that count from a segment's start, in the most digits. */
const longest = Array.from({ length: maxPicturesOfSegment }, (_, index) => 1_000_000 + index);

test('the pictures of the longest keyframe interval at the fastest rate fit into a segment, a task and an offer', () => {
  expect(maxPicturesOfSegment).toBeGreaterThanOrEqual((maxKeyframeIntervalMs / 1000) * maxFramesPerSecond);
  expect(maxPicturesOfSegment).toBeGreaterThanOrEqual((maxSegmentMs / 1000) * maxFramesPerSecond);
  const task = sampleTask();
  const [rung] = task.renditions;
  const most = { ...task, times90k: longest, renditions: Array.from({ length: 8 }, () => rung) };
  expect(JSON.stringify(TranscodeTask.parse(most)).length).toBeLessThan(maxTaskBytes / 4);
  expect(SourceOffer.shape.times90k.parse(longest)).toHaveLength(maxPicturesOfSegment);
});

test.each([
  { segmentMs: 1000, factor: 1 },
  { segmentMs: 2000, factor: 1 },
  { segmentMs: 10_000, factor: 5 },
])('a segment of $segmentMs ms has $factor times the time', ({ segmentMs, factor }) => {
  expect(lengthFactor(segmentMs)).toBe(factor);
});
