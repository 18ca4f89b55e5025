/**
 * The pure core of one publisher's connection: FLV tags in, periods and whole source segments out.
 *
 * It parses tags and keeps the feed within its limits; feed.ts sorts what it holds into periods. No function throws, and
 * no payload is kept: pictures and frames are copied once. After a refusal tags are ignored until `close`.
 */
import type { PeriodMarks } from '../../cluster/contract/stream.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import { parseAudioSpecificConfig } from '../media/aac/audio-specific-config.ts';
import { silentFrame } from '../media/aac/silent-frame.ts';
import { parseAudioTag } from '../media/flv/audio-tag.ts';
import { parseScriptTag } from '../media/flv/script-tag.ts';
import { TimestampUnwrapper } from '../media/flv/timestamp-unwrapper.ts';
import { nameOfVideoCodec, parseVideoTag, type VideoCodec, type VideoTag } from '../media/flv/video-tag.ts';
import { colourSpaceAdvice, keyframeAdvice } from './encoder-advice.ts';
import { Feed } from './feed.ts';
import type {
  IngestEvent,
  IngestSessionApi,
  InputStats,
  Now,
  PeriodPlace,
  WarningCode,
} from './ingest-events.ts';
import type { FlvTag } from './ingest-port.ts';
import { InputMeter } from './input-meter.ts';
import type { AudioConfiguration } from './period.ts';
import { defaultLimits, type SessionLimits } from './session-limits.ts';
import { SessionWarnings } from './session-warnings.ts';
import {
  inspectPicture,
  keepPicture,
  readVideoConfiguration,
  type VideoConfiguration,
} from './video-configuration.ts';

/** Composition times beyond this are nonsense: the picture is shown when it is decoded. */
const maxCompositionMs = 5000;
const maxUnopenedPeriods = 4;
/** Media that moves away from the wall clock by more than this is worth a word. */
const maxDriftMs = 2000;
/** A feed that sends nothing is the port's to end. */
const silentMs = 1000;

type Picture = Extract<VideoTag, { kind: 'picture' }>;

function readAudioConfiguration(bytes: Uint8Array): AudioConfiguration {
  const aac = parseAudioSpecificConfig(bytes);
  const silence = silentFrame(aac.channelConfiguration);
  if (silence === undefined) {
    throw new TangazaError(
      'CODEC_REFUSED',
      `AAC with channel configuration ${aac.channelConfiguration} is not taken: send mono, stereo, 5.1 or 7.1`,
    );
  }
  return { aac, bytes: new Uint8Array(bytes), silence };
}

const isEqual = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

export class IngestSession implements IngestSessionApi {
  readonly #limits: SessionLimits;
  readonly #feed: Feed;
  readonly #unwrapper = new TimestampUnwrapper();
  readonly #warnings = new SessionWarnings();
  readonly #meter = new InputMeter();
  #events: IngestEvent[] = [];
  #now: Now = { monotonicMs: 0, runningMs: 0, utcMs: 0 };
  #state: 'receiving' | 'refused' | 'closed' = 'receiving';
  #firstTagMs: number | undefined;
  #corruptInRow = 0;
  #askedAtMs: number | undefined;
  #lastVideoHeader: Uint8Array | undefined;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#feed = new Feed({
      limits: this.#limits,
      emit: (event) => this.#events.push(event),
      warn: (code, detail) => this.#warn(code, detail),
    });
  }

  onTag(tag: FlvTag, now: Now): readonly IngestEvent[] {
    if (this.#state !== 'receiving') return [];
    return this.#turn(now, () => {
      this.#firstTagMs ??= now.runningMs;
      this.#meter.note(now.runningMs, tag.payload.length, 0);
      this.#take(tag);
      this.#check();
    });
  }

  onPeriodOpened(ordinal: number, place: PeriodPlace, now: Now): readonly IngestEvent[] {
    return this.#turn(now, () => this.#feed.open(ordinal, place));
  }

  marks(ordinal: number): PeriodMarks | undefined {
    return this.#feed.marks(ordinal);
  }

  onTick(now: Now): readonly IngestEvent[] {
    if (this.#state !== 'receiving') return [];
    return this.#turn(now, () => this.#check());
  }

  close(now: Now): readonly IngestEvent[] {
    if (this.#state === 'closed') return [];
    this.#state = 'closed';
    return this.#turn(now, () => this.#feed.close(now));
  }

  stats(now: Now): InputStats {
    const { bytesPerSecond, picturesPerSecond } = this.#meter.rates(now.runningMs);
    const { video, audio, keyframeIntervalMs } = this.#feed;
    return {
      ...(video === undefined
        ? {}
        : {
            videoCodec: nameOfVideoCodec(video.codec),
            width: video.width,
            height: video.height,
            fps: picturesPerSecond,
          }),
      ...(audio === undefined ? {} : { audioCodec: audio.aac.objectType === 2 ? 'AAC-LC' : 'HE-AAC' }),
      bitrateBps: Math.round(bytesPerSecond * 8),
      ...(keyframeIntervalMs === undefined ? {} : { keyframeIntervalSeconds: keyframeIntervalMs / 1000 }),
      lastPacketAgeMs: Math.max(0, now.runningMs - this.#meter.lastPacketMs(now.runningMs)),
      warnings: this.#warnings.list(now.runningMs),
    };
  }

  /** The boundary: whatever goes wrong inside ends this session, and nothing else. */
  #turn(now: Now, run: () => void): readonly IngestEvent[] {
    this.#now = now;
    try {
      run();
    } catch (error) {
      this.#refuse(error);
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #refuse(error: unknown): void {
    if (this.#state === 'receiving') this.#state = 'refused';
    const detail = error instanceof Error ? error.message : String(error);
    this.#events.push({ kind: 'refuse', code: errorCodeOf(error), detail });
  }

  #warn(code: WarningCode, detail: string): void {
    if (this.#warnings.note(code, detail, this.#now.runningMs))
      this.#events.push({ kind: 'warn', code, detail });
  }

  #take(tag: FlvTag): void {
    switch (tag.kind) {
      case 'video':
        return this.#takeVideo(tag);
      case 'audio':
        return this.#takeAudio(tag);
      case 'script':
        return this.#takeScript(tag.payload);
      default:
        return unreachable(tag.kind);
    }
  }

  /** What an encoder says about itself never ends a feed that is otherwise sound. */
  #takeScript(payload: Uint8Array): void {
    try {
      const script = parseScriptTag(payload);
      if (script.kind === 'metadata') this.#feed.onMetadata(script.metadata);
    } catch {
      this.#warn('scriptIgnored', 'metadata could not be read and is ignored');
    }
  }

  #takeVideo({ payload, timestampMs }: FlvTag): void {
    const tag = this.#tolerate('pictureCorrupt', () => parseVideoTag(payload));
    switch (tag?.kind) {
      case undefined:
      case 'end':
      case 'ignored':
        return;
      case 'colour':
        if (tag.transfer === 16 || tag.transfer === 18)
          throw new TangazaError('CODEC_REFUSED', `HDR video is not taken: ${colourSpaceAdvice}`);
        return;
      case 'configuration':
        return this.#takeVideoHeader(tag.codec, tag.configuration);
      case 'picture':
        return this.#takePicture(tag, timestampMs);
      default:
        return unreachable(tag);
    }
  }

  /** A repeated header with equal bytes changes nothing (M7), also when the stream itself has since said otherwise. */
  #takeVideoHeader(codec: VideoCodec, bytes: Uint8Array): void {
    if (isEqual(this.#lastVideoHeader, bytes)) return;
    const configuration = readVideoConfiguration(codec, bytes);
    this.#lastVideoHeader = new Uint8Array(bytes);
    this.#configure(configuration);
  }

  #configure(configuration: VideoConfiguration): void {
    if (!configuration.isProgressive) this.#warn('interlaced', 'the video is interlaced: send progressive');
    this.#feed.onVideoConfiguration(configuration, this.#now);
  }

  #takePicture({ codec, compositionMs, data }: Picture, timestampMs: number): void {
    const known = this.#feed.video;
    if (known === undefined || known.codec !== codec) {
      this.#corrupt(
        'pictureCorrupt',
        `a picture of ${nameOfVideoCodec(codec)} came before its sequence header`,
      );
      return;
    }
    const inspection = this.#tolerate('pictureCorrupt', () => inspectPicture(known, data));
    if (inspection === undefined || inspection.role === 'none') return;
    this.#corruptInRow = 0;
    if (inspection.changed !== undefined) this.#configure(inspection.changed);
    this.#meter.note(this.#now.runningMs, 0, 1);
    const dtsMs = this.#unwrapper.unwrap(timestampMs);
    const ptsMs = dtsMs + this.#soundComposition(compositionMs);
    this.#feed.onPicture(
      { data: keepPicture(inspection.changed ?? known, data), dtsMs, ptsMs, role: inspection.role },
      this.#now,
    );
  }

  #soundComposition(compositionMs: number): number {
    if (Math.abs(compositionMs) <= maxCompositionMs) return compositionMs;
    this.#warn('presentationRepaired', `a composition time of ${compositionMs} ms was taken for 0`);
    return 0;
  }

  #takeAudio({ payload, timestampMs }: FlvTag): void {
    const tag = this.#tolerate('audioCorrupt', () => parseAudioTag(payload));
    switch (tag?.kind) {
      case undefined:
      case 'end':
      case 'ignored':
        return;
      case 'configuration':
        return this.#feed.onAudioConfiguration(readAudioConfiguration(tag.configuration));
      case 'frame':
        if (tag.data.length === 0 || this.#feed.audio === undefined) return;
        this.#corruptInRow = 0;
        return this.#feed.onAudioFrame(this.#unwrapper.unwrap(timestampMs), Buffer.from(tag.data), this.#now);
      default:
        return unreachable(tag);
    }
  }

  /** A damaged tag is dropped and counted; too many in a row, or a codec that is refused, end the feed. */
  #tolerate<T>(code: 'pictureCorrupt' | 'audioCorrupt', read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (errorCodeOf(error) !== 'MEDIA_INVALID') throw error;
      this.#corrupt(code, error instanceof Error ? error.message : 'unreadable');
      return undefined;
    }
  }

  #corrupt(code: 'pictureCorrupt' | 'audioCorrupt', detail: string): void {
    this.#corruptInRow += 1;
    this.#warn(code, `${code === 'pictureCorrupt' ? 'a picture' : 'an audio frame'} was dropped: ${detail}`);
    if (this.#corruptInRow > this.#limits.maxCorruptInRow) {
      throw new TangazaError(
        'MEDIA_INVALID',
        `${this.#corruptInRow} damaged tags in a row, the last: ${detail}`,
      );
    }
  }

  #check(): void {
    this.#checkAnnounced();
    this.#checkKeyframes();
    this.#checkOwner();
    const { bufferedBytes, driftMs } = this.#feed;
    if (Math.abs(driftMs) > maxDriftMs) {
      this.#warn(
        'clockDrift',
        `the feed's clock has moved ${(driftMs / 1000).toFixed(1)} s away from the wall clock since the period began`,
      );
    }
    if (bufferedBytes <= this.#limits.maxBufferedBytes) return;
    if (this.#askedAtMs !== undefined)
      throw new TangazaError(
        'UNAVAILABLE',
        `the stream's owner did not answer while ${bufferedBytes} bytes came in`,
      );
    throw new TangazaError(
      'KEYFRAME_INTERVAL',
      `keyframe interval over 10 s, or ${bufferedBytes} bytes without a cut; ${keyframeAdvice}`,
    );
  }

  #checkAnnounced(): void {
    const { video, audio } = this.#feed;
    if (video !== undefined || audio !== undefined || this.#firstTagMs === undefined) return;
    const waitedMs = this.#now.runningMs - this.#firstTagMs;
    if (waitedMs < this.#limits.announceTimeoutMs) return;
    throw new TangazaError(
      'MEDIA_INVALID',
      `no sequence header of H.264, HEVC, AV1 or AAC within ${Math.round(waitedMs / 1000)} s`,
    );
  }

  #checkKeyframes(): void {
    const since = this.#feed.sinceKey(this.#now);
    if (since === undefined || this.#now.runningMs - this.#meter.lastPacketMs(this.#now.runningMs) > silentMs)
      return;
    const { maxKeyframeIntervalMs, maxKeyframeWaitMs, maxPictures } = this.#limits;
    if (since.mediaMs >= maxKeyframeIntervalMs || since.wallMs >= maxKeyframeWaitMs) {
      const waitedMs = Math.max(since.mediaMs, since.wallMs);
      throw new TangazaError(
        'KEYFRAME_INTERVAL',
        `keyframe interval over 10 s: no keyframe for ${(waitedMs / 1000).toFixed(1)} s; ${keyframeAdvice}`,
      );
    }
    if (this.#feed.picturesInSegment > maxPictures) {
      throw new TangazaError(
        'KEYFRAME_INTERVAL',
        `keyframe interval over 10 s, or more than ${maxPictures} pictures without a cut; ${keyframeAdvice}`,
      );
    }
  }

  #checkOwner(): void {
    const { unopened } = this.#feed;
    this.#askedAtMs = unopened.length === 0 ? undefined : (this.#askedAtMs ?? this.#now.runningMs);
    if (this.#askedAtMs === undefined) return;
    const waitedMs = this.#now.runningMs - this.#askedAtMs;
    if (unopened.length > maxUnopenedPeriods || waitedMs > this.#limits.maxOpenWaitMs) {
      throw new TangazaError(
        'UNAVAILABLE',
        `the stream's owner has not opened a period for ${Math.round(waitedMs / 1000)} s`,
      );
    }
  }
}
