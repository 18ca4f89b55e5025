/** One stretch of one encoder clock, as the feed fills it: with video (video-period.ts) or audio alone (audio-period.ts). */
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
  /** The AudioSpecificConfig; a copy. */
  readonly bytes: Uint8Array;
  readonly silence: Uint8Array;
}

/** What every period is made with. */
export interface PeriodSetting {
  readonly ordinal: number;
  /** Unwrapped ms of the connection at the period's zero, and UTC when it arrived. */
  readonly zeroMs: number;
  readonly wallZeroMs: number;
  readonly metadata: FeedMetadata | undefined;
  readonly limits: SessionLimits;
  readonly emit: (event: Exclude<IngestEvent, { kind: 'warn' }>) => void;
  readonly warn: (code: WarningCode, detail: string) => void;
}

/**
 * `asked` once `periodReady` was emitted; segments come only after `open`. `end` may come at any time, and when
 * both have, the last segment (or the tail) and `periodEnded` do.
 */
export interface Period {
  readonly kind: 'video' | 'audio';
  readonly ordinal: number;
  readonly isAsked: boolean;
  readonly isOpened: boolean;
  readonly isDone: boolean;
  readonly bufferedBytes: number;
  /** In the segment being filled. */
  readonly picturesInSegment: number;
  pushPicture(picture: Picture): void;
  /** @param ms unwrapped, of the connection */
  pushAudio(ms: number, data: Uint8Array): AudioVerdict;
  /** @returns whether the audio became part of the period: not once it has been described */
  addAudio(audio: AudioConfiguration): boolean;
  open(place: PeriodPlace): void;
  /** Of what it holds while it is not open (M2). */
  marks(): PeriodMarks;
  /** @param atMs where the next period begins, on this one's clock; else the natural end of the last frame */
  end(kind: 'segment' | 'tail', atMs?: number): void;
}

/** What a kept frame costs beside its payload: bounds the number of tiny ones. */
export const frameOverheadBytes = 256;

/** Equal codec configurations, equal hash (M2). */
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

/** Above this an encoder's word on its bitrate is no bitrate of live video or audio. */
const mostToldBps = 200_000_000;

/**
 * The encoder's word unless the measurement belies it. A quiet or still beginning measures far below what comes later, so
 * a word above the measurement is believed; one under half of it is not.
 */
export function chooseBitrate(toldBps: number | undefined, measuredBps: number): number | undefined {
  if (measuredBps <= 0) return toldBps;
  const isBelieved = toldBps !== undefined && toldBps >= measuredBps / 2 && toldBps <= mostToldBps;
  return isBelieved ? toldBps : measuredBps;
}
