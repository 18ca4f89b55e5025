/**
 * The pure core of one publisher's connection: FLV tags in, periods and whole source segments out.
 *
 * Two intakes read the tags, one for each track (`feed/intake/`). feed.ts sorts what they read into periods. This file keeps
 * the limits. No function throws, and no payload is kept: pictures and frames are copied once. After a refusal the
 * session ignores tags until `close`.
 */
import type { PeriodMarks } from '../../cluster/contract/contribution.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import { parseScriptTag } from '../media/flv/script-tag.ts';
import { TimestampUnwrapper } from '../media/flv/timestamp-unwrapper.ts';
import { nameOfVideoCodec } from '../media/flv/video-tag.ts';
import { Timekeeper } from './feed/clock/timekeeper.ts';
import { keyframeAdvice } from './encoder-advice.ts';
import { Feed } from './feed/feed.ts';
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
import { AudioIntake } from './feed/intake/audio-intake.ts';
import { VideoIntake } from './feed/intake/video-intake.ts';
import { defaultLimits, type SessionLimits } from './session-limits.ts';
import { SessionWarnings } from './session-warnings.ts';
/** The session warns when media moves away from the wall clock by more than this. */
const maxDriftMs = 2000;
/** A longer pause between two tags counts as silence of the connection. The port ends a feed that sends nothing. */
const silentMs = 1000;

const maxUnopenedPeriods = 4;

export class IngestSession implements IngestSessionApi {
  readonly #limits: SessionLimits;
  readonly #feed: Feed;
  readonly #timekeeper: Timekeeper;
  readonly #video: VideoIntake;
  readonly #audio: AudioIntake;
  readonly #warnings = new SessionWarnings();
  readonly #meter = new InputMeter();
  #events: IngestEvent[] = [];
  #now: Now = { monotonicMs: 0, runningMs: 0, utcMs: 0 };
  #state: 'receiving' | 'refused' | 'closed' = 'receiving';
  #isRefused = false;
  #firstTagMs: number | undefined;
  #askedAtMs: number | undefined;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#feed = new Feed({
      limits: this.#limits,
      emit: (event) => this.#events.push(event),
      warn: (code, detail) => this.#warn(code, detail),
    });
    this.#timekeeper = new Timekeeper(this.#feed, (code, detail) => this.#warn(code, detail));
    const unwrapper = new TimestampUnwrapper();
    const ports = {
      limits: this.#limits,
      feed: this.#timekeeper,
      unwrap: (wireMs: number) => unwrapper.unwrap(wireMs),
      warn: (code: WarningCode, detail: string) => this.#warn(code, detail),
    };
    this.#video = new VideoIntake({
      ...ports,
      countPicture: ({ runningMs }) => this.#meter.note(runningMs, 0, 1),
    });
    this.#audio = new AudioIntake(ports);
  }

  onTag(tag: FlvTag, now: Now): readonly IngestEvent[] {
    if (this.#state !== 'receiving') return [];
    return this.#turn(now, () => {
      this.#firstTagMs ??= now.runningMs;
      const pauseMs = now.runningMs - this.#meter.lastPacketMs(now.runningMs) - silentMs;
      if (pauseMs > 0) this.#feed.onPause(pauseMs);
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
    return this.#turn(now, () => {
      this.#timekeeper.tick(now);
      this.#check();
    });
  }

  close(now: Now): readonly IngestEvent[] {
    if (this.#state === 'closed') return [];
    this.#state = 'closed';
    return this.#turn(now, () => {
      this.#timekeeper.settle();
      this.#feed.close(now);
    });
  }

  stats(now: Now): InputStats {
    const { bytesPerSecond, picturesPerSecond } = this.#meter.rates(now.runningMs);
    const { video, audio, keyframeIntervalMs } = this.#feed;
    const fault = this.#warnings.fault(now.runningMs);
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
      ...(fault === undefined ? {} : { fault }),
    };
  }

  /** The boundary: any error inside ends this session, and nothing else. */
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
    if (this.#isRefused) return;
    this.#isRefused = true;
    if (this.#state === 'receiving') this.#state = 'refused';
    const detail = error instanceof Error ? error.message : String(error);
    this.#events.push({ kind: 'refuse', code: errorCodeOf(error), detail });
  }

  #warn(code: WarningCode, detail: string): void {
    const isTold = this.#warnings.note(code, detail, this.#now.runningMs);
    this.#events.push({ kind: 'warn', code, detail, isTold });
  }

  #take(tag: FlvTag): void {
    switch (tag.kind) {
      case 'video':
        return this.#video.take(tag.payload, tag.timestampMs, this.#now);
      case 'audio':
        return this.#audio.take(tag.payload, tag.timestampMs, this.#now);
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

  #check(): void {
    this.#video.check(this.#now);
    this.#audio.check(this.#now);
    this.#checkAnnounced();
    this.#checkSound();
    this.#checkKeyframes();
    this.#checkOwner();
    const { driftMs } = this.#feed;
    const bufferedBytes = this.#feed.bufferedBytes + this.#timekeeper.heldBytes + this.#video.heldBytes;
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

  /** Refuses a feed of which a whole track is lost, so that the encoder hears of it. */
  #checkSound(): void {
    const unusable = this.#feed.unusableSound.for();
    if (unusable === undefined || unusable.lostMs < this.#limits.announceTimeoutMs) return;
    const apart = `${(Math.abs(unusable.apartMs) / 1000).toFixed(1)} s ${unusable.apartMs < 0 ? 'behind' : 'ahead of'}`;
    throw new TangazaError(
      'MEDIA_INVALID',
      `no sound could be used for ${Math.round(unusable.lostMs / 1000)} s: its times are ${apart} the pictures; send both on one clock`,
    );
  }

  #checkKeyframes(): void {
    const since = this.#feed.sinceKey(this.#now);
    if (since === undefined || this.#now.runningMs - this.#meter.lastPacketMs(this.#now.runningMs) > silentMs)
      return;
    const { maxKeyframeIntervalMs, maxKeyframeWaitMs, maxPictures } = this.#limits;
    if (since.mediaMs >= maxKeyframeIntervalMs || since.wallMs >= maxKeyframeWaitMs) {
      const waitedMs = Math.max(since.mediaMs, since.wallMs);
      const forSeconds = `for ${(waitedMs / 1000).toFixed(1)} s`;
      const fault = this.#video.keyframeFault;
      throw new TangazaError(
        'KEYFRAME_INTERVAL',
        fault === undefined
          ? `keyframe interval over 10 s: no keyframe ${forSeconds}; ${keyframeAdvice}`
          : `no keyframe to cut at ${forSeconds}: ${fault}`,
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
