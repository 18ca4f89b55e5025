/**
 * One stretch of one encoder clock, as the feed fills it: with video (video-period.ts) or with audio alone
 * (audio-period.ts).
 */
import { createHash } from 'node:crypto';
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import { Sha256 } from '../../../cluster/model/ids.ts';
import type { AacConfig } from '../../media/aac/audio-specific-config.ts';
import type { FeedMetadata } from '../../media/flv/script-tag.ts';
import type { AudioVerdict } from './audio-clock.ts';
import type { IngestEvent, PeriodAudio, PeriodPlace, WarningCode } from '../ingest-events.ts';
import type { Picture } from './picture.ts';
import type { SessionLimits } from '../session-limits.ts';
import type { VideoConfiguration } from './video-configuration.ts';

export interface AudioConfiguration {
  readonly aac: AacConfig;
  /** A copy of the AudioSpecificConfig. */
  readonly bytes: Uint8Array;
  readonly silence: Uint8Array;
}

/** What every period is made with. */
export interface PeriodSetting {
  readonly ordinal: number;
  /** The connection's unwrapped ms at the period's zero, and the UTC time when it arrived. */
  readonly zeroMs: number;
  readonly wallZeroMs: number;
  readonly metadata: FeedMetadata | undefined;
  readonly limits: SessionLimits;
  readonly emit: (event: Exclude<IngestEvent, { kind: 'warn' }>) => void;
  readonly warn: (code: WarningCode, detail: string) => void;
}

/**
 * `isAsked` is true once `periodReady` was emitted. Segments come only after `open`. `end` may come at any time. After
 * both come the last segment (or the tail) and `periodEnded`.
 */
export interface Period {
  readonly kind: 'video' | 'audio';
  readonly ordinal: number;
  readonly isAsked: boolean;
  readonly isOpened: boolean;
  readonly isDone: boolean;
  readonly bufferedBytes: number;
  /** How many pictures the segment being filled has. */
  readonly picturesInSegment: number;
  pushPicture(picture: Picture): void;
  /** @param ms unwrapped, on the connection's clock */
  pushAudio(ms: number, data: Uint8Array): AudioVerdict;
  /** Adds audio to a period that is not described yet. @returns whether that was possible */
  addAudio(audio: AudioConfiguration): boolean;
  open(place: PeriodPlace): void;
  /** What the period may be recognised by while it is not open (M2). */
  marks(): PeriodMarks;
  /** @param atMs where the next period begins, on this one's clock; without it, the natural end of the last frame */
  end(kind: 'segment' | 'tail', atMs?: number): void;
}

/** What a kept frame costs beside its payload; it bounds the number of tiny frames. */
export const frameOverheadBytes = 256;

/** Equal codec configurations have equal hashes (M2). */
export function sequenceHeaderHash(
  video: VideoConfiguration | undefined,
  audio: AudioConfiguration | undefined,
): Sha256 {
  const hash = createHash('sha256');
  if (video !== undefined)
    hash.update(`video ${video.codec} ${video.configuration.length}\n`).update(video.configuration);
  if (audio !== undefined) hash.update(`audio ${audio.bytes.length}\n`).update(audio.bytes);
  return Sha256.parse(hash.digest('hex'));
}

const usualAudioBps = 128_000;

/** @param measuredBps 0 when nothing was measured */
export function describeAudio(
  { aac, bytes }: AudioConfiguration,
  toldBps: number | undefined,
  measuredBps: number,
): PeriodAudio {
  const { sampleRate, channels, samplesPerFrame, codecs } = aac;
  const bitrateBps = Math.max(1, Math.round(chooseBitrate(toldBps, measuredBps) ?? usualAudioBps));
  return {
    track: { kind: 'audio', sampleRate, channels, configuration: bytes, timescale: sampleRate },
    source: { codecs, sampleRate, channels, samplesPerFrame, bitrateBps },
  };
}

/** Above this, the bitrate that an encoder names is not one of live video or audio. */
const mostToldBps = 200_000_000;

/**
 * Takes the bitrate that the encoder names, unless the measurement contradicts it. A quiet or still beginning measures
 * far below what comes later, so a named bitrate above the measurement is believed, and one under half of it is not.
 */
export function chooseBitrate(toldBps: number | undefined, measuredBps: number): number | undefined {
  if (measuredBps <= 0) return toldBps;
  const isBelieved = toldBps !== undefined && toldBps >= measuredBps / 2 && toldBps <= mostToldBps;
  return isBelieved ? toldBps : measuredBps;
}
