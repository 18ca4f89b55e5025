/** Tasks over the segments of a clip that lies in a store, as an owner would emit them. */
import { createHash } from 'node:crypto';
import { planRenditions } from '../../../actors/media/ladder/plan-renditions.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import type { VideoRendition } from '../../../cluster/contract/renditions.ts';
import { SourceVideo } from '../../../cluster/contract/contribution.ts';
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { PeriodId, RenditionName, Sha256, StreamId } from '../../../cluster/model/ids.ts';
import type { ClipSegment, ClipSource } from '../../../scripts/bench/clip-segments.ts';
import { sampleTask } from '../ports/transcode-task.ts';

const source = {
  stream: StreamId.parse('demo'),
  period: PeriodId.parse(7),
  rendition: RenditionName.parse('source'),
};

/** Two rungs below the 180 lines of the test clips. */
export const smallLadder = {
  rungs: [
    { height: 144, maxrateBps: 300_000, crf: 24, preset: 'veryfast', profile: 'high' },
    { height: 96, maxrateBps: 150_000, crf: 26, preset: 'veryfast', profile: 'main' },
  ],
} as const;

export const sha256 = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash('sha256').update(bytes).digest('hex'));

/** The rungs that a worker makes of the clip. */
export function encodedRungs(
  { track, init }: ClipSource,
  changes: Partial<SourceVideo> = {},
): readonly VideoRendition[] {
  const video = SourceVideo.parse({
    codec: track.codec,
    codecs: track.codec === 'h264' ? 'avc1.64000d' : track.codec,
    width: track.width,
    height: track.height,
    sampleAspectRatio: [1, 1],
    frameRate: [30, 1],
    bitDepth: 8,
    bitrateBps: 1_000_000,
    init: { sha256: sha256(init), bytes: init.length },
    ...changes,
  });
  const plan = planRenditions({ video, ladder: { rungs: [...smallLadder.rungs] } });
  return plan.filter((one) => one.kind === 'video').filter(({ origin }) => origin.kind === 'encode');
}

/** Puts the segment where an ingest would, and makes its task. */
export async function clipTask(
  clip: ClipSource,
  segment: ClipSegment,
  store: SegmentStore,
  changes: Record<string, unknown> = {},
): Promise<TranscodeTask> {
  const key = segmentKey(source, segment.start90k, sha256(segment.media));
  const sourceInitKey = initKey(source, sha256(clip.init));
  await store.putIfAbsent(sourceInitKey, clip.init);
  await store.putIfAbsent(key, segment.media);
  return sampleTask({
    taskId: `demo/7/${segment.start90k}/upper`,
    group: 'upper',
    start90k: segment.start90k,
    duration90k: segment.duration90k,
    times90k: segment.times90k,
    sourceFrameRate: [30, 1],
    source: { key, initKey: sourceInitKey, sha256: sha256(segment.media), bytes: segment.media.length },
    renditions: encodedRungs(clip),
    ...changes,
  });
}
