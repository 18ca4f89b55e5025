/**
 * Plans the renditions of a period from its source and the ladder. The `clock` record pins them (M7).
 *
 * The source is the best rung there can be, and costs nothing. Where every player takes it (H.264, 8 bit, 4:2:0) and
 * shows it well (browsers show combs in interlaced video), it passes through as the top rung. Else workers read it
 * under the name `source`, and encode the top rung too.
 *
 * P1. No encoded rung is as tall as a passed-through source or taller, and none is taller than any source.
 * P2. Encoded rungs have square pixels and the source's display aspect ratio. So a player that switches between them
 *     never changes the shape of the picture, and an anamorphic source needs nothing of the player.
 * P3. Declared bandwidths fall from rung to rung, so that players order the rungs as we do.
 */
import type {
  AudioRendition,
  EncodeSettings,
  Rendition,
  VideoRendition,
} from '../../../cluster/contract/renditions.ts';
import type { SourceAudio, SourceVideo } from '../../../cluster/contract/contribution.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { RenditionName } from '../../../cluster/model/ids.ts';
import { avcCodecs, avcLevel } from './avc-level.ts';
import type { Ladder, Rung } from './ladder.ts';

export interface PlanInput {
  readonly video?: SourceVideo;
  readonly audio?: SourceAudio;
  readonly ladder: Ladder;
}

/** A segment may exceed its maxrate by this factor before it is encoded again (M8). `BANDWIDTH` says it. */
export const peakPercent = 110;
/** The peak of a source above its measured mean: encoders hold their rate over seconds, not over a segment. */
const passThroughPercent = 130;
/** An odd source gets a rung of its own height when the next one is this much lower. */
const worthwhileStep = 1.25;

/** Reference pictures by preset, as x264 has them. They are pinned, because the SPS carries the number (M7). */
export function refsOf(preset: string): number {
  return { superfast: 1, veryfast: 1, faster: 2, fast: 2, medium: 3 }[preset] ?? 1;
}

/**
 * @returns the renditions, best first, audio last; never empty
 * @throws TangazaError `MEDIA_INVALID` when there is neither video nor audio
 */
export function planRenditions({ video, audio, ladder }: PlanInput): readonly Rendition[] {
  if (video === undefined && audio === undefined) {
    throw new TangazaError('MEDIA_INVALID', 'The source has neither video nor audio.');
  }
  return [
    ...(video === undefined ? [] : planVideo(video, ladder)),
    ...(audio === undefined ? [] : [audioRendition(audio)]),
  ];
}

/**
 * Whether the source is progressive H.264 with a profile of 4:2:0 at 8 bits: Baseline, Main or High (`profile_idc` 66,
 * 77, 100).
 */
export function mayPassThrough(video: SourceVideo): boolean {
  return (
    video.isInterlaced !== true &&
    video.codec === 'h264' &&
    video.bitDepth === 8 &&
    /^avc[13]\.(42|4d|64)/i.test(video.codecs)
  );
}

function planVideo(video: SourceVideo, ladder: Ladder): readonly VideoRendition[] {
  if (!mayPassThrough(video)) {
    return [sourceOnly(video), ...encodedRungs(video, ladder).map((rung) => encoded(video, rung))];
  }
  const rungs = ladder.rungs.filter((rung) => rung.height < video.height).map((rung) => encoded(video, rung));
  return [passThrough(video, rungs[0]?.bandwidthBps ?? 0), ...rungs];
}

/** The heights to encode (P1). A source with no rung near its height gets a rung of its own height. */
function encodedRungs(video: SourceVideo, ladder: Ladder): readonly Rung[] {
  const rungs = ladder.rungs.filter((rung) => rung.height <= video.height);
  const [top] = rungs;
  const above = ladder.rungs.findLast((rung) => rung.height > video.height);
  if (top !== undefined && (above === undefined || video.height < top.height * worthwhileStep)) return rungs;
  const model = above ?? top;
  return model === undefined ? rungs : [rungAtHeight(model, evenFloor(video.height)), ...rungs];
}

/** Bits follow the area, but less than in proportion: small pictures need more bits for each pixel. */
function rungAtHeight(model: Rung, height: number): Rung {
  const scaled = model.maxrateBps * (height / model.height) ** 1.5;
  return { ...model, height, maxrateBps: Math.max(50_000, Math.round(scaled / 1000) * 1000) };
}

function encoded(video: SourceVideo, rung: Rung): VideoRendition {
  const aspect = (video.width * video.sampleAspectRatio[0]) / (video.height * video.sampleAspectRatio[1]);
  const width = Math.max(2, evenRound(rung.height * aspect));
  const { profile, maxrateBps, preset, crf } = rung;
  const level = avcLevel({ ...rung, width, frameRate: video.frameRate, refs: refsOf(preset) });
  const settings: EncodeSettings = {
    preset,
    profile,
    level,
    crf,
    maxrateBps,
    bufsizeBits: maxrateBps,
    ...(video.isInterlaced === true ? { isDeinterlaced: true } : {}),
  };
  return {
    ...common(video),
    name: RenditionName.parse(`h264-${rung.height}p`),
    codecs: avcCodecs(profile, level),
    width,
    height: rung.height,
    sampleAspectRatio: [1, 1],
    bandwidthBps: withPercent(maxrateBps, peakPercent),
    origin: { kind: 'encode', settings },
  };
}

function passThrough(video: SourceVideo, nextBandwidthBps: number): VideoRendition {
  const measured = withPercent(video.bitrateBps, passThroughPercent);
  return {
    ...asIs(video),
    name: RenditionName.parse(`h264-${video.height}p`),
    // A source that is thinner than its own ladder still comes first (P3).
    bandwidthBps: Math.max(measured, withPercent(nextBandwidthBps, 120)),
    origin: { kind: 'passThrough' },
  };
}

function sourceOnly(video: SourceVideo): VideoRendition {
  return {
    ...asIs(video),
    name: RenditionName.parse('source'),
    bandwidthBps: withPercent(video.bitrateBps, passThroughPercent),
    origin: { kind: 'sourceOnly' },
  };
}

function asIs(video: SourceVideo) {
  const { codecs, width, height, sampleAspectRatio, init } = video;
  return { ...common(video), codecs, width, height, sampleAspectRatio, init };
}

type Common = Pick<VideoRendition, 'kind' | 'timescale' | 'frameRate' | 'hasCaptions'>;

function common({ frameRate, hasCaptions }: SourceVideo): Common {
  return {
    kind: 'video',
    timescale: 90_000,
    frameRate,
    ...(hasCaptions === true ? { hasCaptions } : {}),
  };
}

function audioRendition(audio: SourceAudio): AudioRendition {
  const { codecs, sampleRate, channels, samplesPerFrame, bitrateBps, init } = audio;
  return {
    kind: 'audio',
    name: RenditionName.parse(`aac-${Math.max(1, Math.round(bitrateBps / 1000))}k`),
    codecs,
    sampleRate,
    channels,
    samplesPerFrame,
    init,
    bandwidthBps: withPercent(bitrateBps, peakPercent),
    timescale: sampleRate,
  };
}

const withPercent = (value: number, percent: number): number => Math.ceil((value * percent) / 100);
const evenRound = (value: number): number => 2 * Math.round(value / 2);
const evenFloor = (value: number): number => 2 * Math.floor(value / 2);
