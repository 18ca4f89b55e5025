/**
 * Sorts one publisher's tracks into periods (M1, M2, M9, M15).
 *
 * These end a period; the next one begins at the next IDR:
 * - The clock jumps (clock/feed-clock.ts says what a jump is).
 * - The video's configuration changes. This ends the period at once, because what follows cannot be decoded with the
 *   old configuration.
 * - The audio's configuration changes, or a track appears after the period was described. This ends the period at the
 *   next IDR, so that no picture is lost. Audio of the new kind waits for it.
 *
 * When an encoder restarts, its audio and its video jump one after the other. So audio that jumps alone is held for 500
 * ms. If video follows, the audio belongs to the next period; else it is a gap in this one.
 */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { FeedMetadata } from '../../media/flv/script-tag.ts';
import { AudioPeriod } from './audio-period.ts';
import { keyframeAdvice } from '../encoder-advice.ts';
import { FeedClock, type Step } from './clock/feed-clock.ts';
import type { IngestEvent, Now, PeriodPlace, WarningCode } from '../ingest-events.ts';
import type { AudioConfiguration, Period, PeriodSetting } from './period.ts';
import { frameOverheadBytes } from './period.ts';
import { RandomAccessStage, type Picture, type RawPicture } from './picture.ts';
import { UnusableSound } from './unusable-sound.ts';
import type { SessionLimits } from '../session-limits.ts';
import type { VideoConfiguration } from './video-configuration.ts';
import { VideoPeriod } from './video-period.ts';

interface HeldFrame {
  readonly ms: number;
  readonly data: Uint8Array;
}

export interface FeedPorts {
  readonly limits: SessionLimits;
  readonly emit: (event: Exclude<IngestEvent, { kind: 'warn' }>) => void;
  readonly warn: (code: WarningCode, detail: string) => void;
}

/** A longer step of the video's clock may be a hole where pictures were dropped. */
const leastHoleMs = 1000;
const audioJumpMs = 500;
/** Audio that is further from the video's clock than this is on another clock. */
const maxApartMs = 10_000;
/** The same right after a jump, when audio may still be on the old clock. */
const maxApartAtStartMs = 3000;
const minuteMs = 60_000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class Feed {
  readonly #ports: FeedPorts;
  #video: VideoConfiguration | undefined;
  #audio: AudioConfiguration | undefined;
  #metadata: FeedMetadata | undefined;
  #current: Period | undefined;
  /** Periods that have begun and are not done, oldest first, with the current one. */
  #periods: Period[] = [];
  #nextOrdinal = 0;
  #begunAtMs: number[] = [];
  readonly #stage = new RandomAccessStage();
  #videoClock = new FeedClock({ isFirst: true });
  #audioClock = new FeedClock();
  #lastStepMs = 0;
  #mustSwitchAtKey = false;
  #held: HeldFrame[] = [];
  #suspects: HeldFrame[] = [];
  #lastAudioMs: number | undefined;
  /** `dtsMs` is unknown until the first picture. */
  #keyWait: { readonly dtsMs: number | undefined; readonly runningMs: number } | undefined;
  #keyframeIntervalMs: number | undefined;
  readonly #sound = new UnusableSound();

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  get video(): VideoConfiguration | undefined {
    return this.#video;
  }

  get audio(): AudioConfiguration | undefined {
    return this.#audio;
  }

  /** Media time between the last two IDRs. */
  get keyframeIntervalMs(): number | undefined {
    return this.#keyframeIntervalMs;
  }

  get driftMs(): number {
    return this.#videoClock.lastMs === undefined ? this.#audioClock.driftMs : this.#videoClock.driftMs;
  }

  get picturesInSegment(): number {
    return this.#current?.picturesInSegment ?? 0;
  }

  /** Periods that were asked for or ended, and are not open. */
  get unopened(): readonly Period[] {
    return this.#periods.filter((period) => !period.isOpened && (period.isAsked || period !== this.#current));
  }

  get bufferedBytes(): number {
    const held = this.#held.length + this.#suspects.length;
    const heldBytes = [...this.#held, ...this.#suspects].reduce(
      (sum, { data }) => sum + data.length,
      held * frameOverheadBytes,
    );
    return this.#periods.reduce(
      (sum, period) => sum + period.bufferedBytes,
      heldBytes + this.#stage.heldBytes,
    );
  }

  /** The sound of which no frame could be used for some time. */
  get unusableSound(): UnusableSound {
    return this.#sound;
  }

  /** Media time and wall time since the last IDR, or since video was first heard of. */
  sinceKey(now: Now): { readonly mediaMs: number; readonly wallMs: number } | undefined {
    if (this.#keyWait === undefined) return undefined;
    const { dtsMs, runningMs } = this.#keyWait;
    const mediaMs = dtsMs === undefined ? 0 : (this.#videoClock.lastMs ?? dtsMs) - dtsMs;
    return { mediaMs, wallMs: now.runningMs - runningMs };
  }

  /** The connection was silent for so long. No keyframe could come in that time, so it does not count. */
  onPause(ms: number): void {
    if (this.#keyWait !== undefined)
      this.#keyWait = { ...this.#keyWait, runningMs: this.#keyWait.runningMs + ms };
  }

  onMetadata(metadata: FeedMetadata): void {
    this.#metadata = metadata;
  }

  onVideoConfiguration(video: VideoConfiguration, now: Now): void {
    const before = this.#video;
    this.#video = video;
    this.#keyWait ??= { dtsMs: this.#videoClock.lastMs, runningMs: now.runningMs };
    if (before === undefined || Buffer.compare(before.configuration, video.configuration) === 0) return;
    this.#ports.warn(
      'configurationChanged',
      `video changed from ${before.codecs} ${before.width}x${before.height} to ${video.codecs} ${video.width}x${video.height}`,
    );
    this.#settleHeldPictures(now);
    this.#endCurrent();
    this.#keyWait = { dtsMs: this.#videoClock.lastMs, runningMs: now.runningMs };
  }

  onAudioConfiguration(audio: AudioConfiguration): void {
    const before = this.#audio;
    if (before !== undefined && Buffer.compare(before.bytes, audio.bytes) === 0) return;
    if (before !== undefined)
      this.#ports.warn(
        'configurationChanged',
        `audio changed from ${before.aac.codecs} to ${audio.aac.codecs}, ${audio.aac.sampleRate} Hz`,
      );
    this.#audio = audio;
    this.#held = [];
    if (this.#current?.kind === 'audio') this.#endCurrent();
    else if (this.#current !== undefined)
      this.#mustSwitchAtKey = before !== undefined || !this.#current.addAudio(audio);
  }

  /** @param picture with its times as told; `dtsMs` is unwrapped */
  onPicture(picture: RawPicture, now: Now): void {
    const composition = picture.ptsMs - picture.dtsMs;
    const step = this.#step(picture.dtsMs, now);
    if (step.kind === 'jump') this.#jump(step.byMs, picture.dtsMs, now);
    const dtsMs = step.kind === 'jump' ? picture.dtsMs : step.ms;
    if (step.kind === 'run' && step.isSnapped)
      this.#ports.warn('timestampSnapped', 'a video timestamp did not go forward');
    if (this.#keyWait?.dtsMs === undefined)
      this.#keyWait = { dtsMs, runningMs: this.#keyWait?.runningMs ?? now.runningMs };
    const raw = { ...picture, dtsMs, ptsMs: dtsMs + composition };
    for (const settled of this.#stage.push(raw)) this.#place(settled, now);
  }

  /** A hole that would make the keyframe interval too long is not bridged: the period ends before it. */
  #step(dtsMs: number, now: Now): Step {
    const lastMs = this.#videoClock.lastMs;
    const keyMs = this.#keyWait?.dtsMs;
    const byMs = dtsMs - (lastMs ?? dtsMs);
    const isHole = byMs > Math.max(leastHoleMs, 3 * this.#lastStepMs);
    this.#lastStepMs = byMs;
    const nextKeyMs = dtsMs + (this.#keyframeIntervalMs ?? 0);
    const isTooLong = keyMs !== undefined && nextKeyMs - keyMs >= this.#ports.limits.maxKeyframeIntervalMs;
    if (isHole && isTooLong) return { kind: 'jump', byMs };
    return this.#videoClock.step(dtsMs, now.monotonicMs);
  }

  #jump(byMs: number, dtsMs: number, now: Now): void {
    this.#ports.warn('timestampJump', `the video clock jumped by ${seconds(byMs)}: a new period begins`);
    this.#settleHeldPictures(now);
    this.#endCurrent();
    this.#held = this.#suspects;
    this.#suspects = [];
    this.#videoClock = new FeedClock();
    this.#videoClock.step(dtsMs, now.monotonicMs);
    this.#keyWait = { dtsMs, runningMs: now.runningMs };
  }

  #settleHeldPictures(now: Now): void {
    for (const picture of this.#stage.flush()) this.#place(picture, now);
  }

  #endCurrent(atMs?: number): void {
    this.#current?.end('segment', atMs);
    this.#current = undefined;
    this.#mustSwitchAtKey = false;
    this.#lastAudioMs = undefined;
    this.#forgetDone();
  }

  #forgetDone(): void {
    if (this.#periods.some(({ isDone }) => isDone))
      this.#periods = this.#periods.filter(({ isDone }) => !isDone);
  }

  #place(picture: Picture, now: Now): void {
    if (picture.isKey) {
      this.#noteKey(picture, now);
      if (this.#current === undefined || this.#current.kind === 'audio' || this.#mustSwitchAtKey)
        this.#beginVideo(picture, now);
    } else if (this.#current?.kind !== 'video')
      this.#ports.warn('beforeKeyframe', 'pictures before the first keyframe of a period are dropped');
    this.#current?.pushPicture(picture);
  }

  #noteKey(picture: Picture, now: Now): void {
    if (this.#current?.kind === 'video' && this.#keyWait?.dtsMs !== undefined) {
      this.#keyframeIntervalMs = picture.dtsMs - this.#keyWait.dtsMs;
      if (this.#keyframeIntervalMs > this.#ports.limits.warnKeyframeIntervalMs) {
        this.#ports.warn(
          'keyframeInterval',
          `keyframe interval of ${seconds(this.#keyframeIntervalMs)}: over 10 s is refused; ${keyframeAdvice}`,
        );
      }
    }
    this.#keyWait = { dtsMs: picture.dtsMs, runningMs: now.runningMs };
  }

  #setting(zeroMs: number, now: Now): PeriodSetting {
    this.#begunAtMs = [...this.#begunAtMs.filter((at) => now.monotonicMs - at < minuteMs), now.monotonicMs];
    if (this.#begunAtMs.length > this.#ports.limits.maxPeriodsPerMinute) {
      throw new TangazaError(
        'MEDIA_INVALID',
        `the feed's clock or configuration changed ${this.#begunAtMs.length - 1} times within a minute`,
      );
    }
    const ordinal = this.#nextOrdinal;
    this.#nextOrdinal += 1;
    return { ordinal, zeroMs, wallZeroMs: now.utcMs, metadata: this.#metadata, ...this.#ports };
  }

  #beginVideo(key: Picture, now: Now): void {
    if (this.#video === undefined) return;
    this.#endCurrent(key.cutMs);
    const period = new VideoPeriod(this.#setting(key.cutMs, now), this.#video, this.#audio);
    this.#begin(period);
    const frames = this.#held;
    this.#held = [];
    for (const { ms, data } of frames)
      if (ms >= key.cutMs && ms - key.cutMs <= maxApartMs) this.#give(period, ms, data);
  }

  #begin(period: Period): void {
    this.#current = period;
    this.#periods.push(period);
  }

  /** @param ms unwrapped; `data` is kept */
  onAudioFrame(ms: number, data: Uint8Array, now: Now): void {
    if (this.#audio === undefined) return;
    this.#sound.at(now.runningMs);
    if (this.#current === undefined) {
      this.#hold(ms, data);
      if (this.#video === undefined) this.#considerAudioOnly(now);
    } else if (this.#current.kind === 'audio') this.#pushAudioOnly(this.#current, { ms, data }, now);
    else if (this.#mustSwitchAtKey) this.#hold(ms, data);
    else this.#pushBesideVideo(this.#current, { ms, data });
  }

  #hold(ms: number, data: Uint8Array): void {
    const videoMs = this.#videoClock.lastMs;
    const apartMs = ms - (videoMs ?? ms);
    if (Math.abs(apartMs) > maxApartAtStartMs) return this.#dropUnusable(apartMs);
    this.#held.push({ ms, data });
    if (this.#held.length <= this.#ports.limits.maxHeldAudioFrames) return;
    this.#held.shift();
    this.#ports.warn('audioOutOfRange', 'audio that waits for a keyframe is dropped: it waits too long');
  }

  #audioOnlyAfterMs(): number {
    const { audioOnlyAfterMs, audioOnlyDespiteMetadataMs } = this.#ports.limits;
    if (this.#metadata?.hasVideo === true) return audioOnlyDespiteMetadataMs;
    return this.#metadata?.hasAudio === true ? audioJumpMs : audioOnlyAfterMs;
  }

  #considerAudioOnly(now: Now): void {
    const first = this.#held[0];
    const last = this.#held.at(-1);
    if (first === undefined || last === undefined || this.#audio === undefined) return;
    if (Math.abs(last.ms - first.ms) < this.#audioOnlyAfterMs()) return;
    const heldMs = last.ms - first.ms;
    const began = { ...now, utcMs: now.utcMs - Math.max(0, heldMs) };
    const period = new AudioPeriod(this.#setting(first.ms, began), this.#audio);
    this.#begin(period);
    this.#audioClock = new FeedClock();
    const frames = this.#held;
    this.#held = [];
    for (const frame of frames) this.#give(period, frame.ms, frame.data);
  }

  #pushAudioOnly(period: Period, frame: HeldFrame, now: Now): void {
    const step = this.#audioClock.step(frame.ms, now.monotonicMs);
    if (step.kind === 'run') return this.#give(period, frame.ms, frame.data);
    this.#ports.warn('timestampJump', `the audio clock jumped by ${seconds(step.byMs)}: a new period begins`);
    this.#endCurrent();
    if (this.#audio === undefined) return;
    this.#audioClock = new FeedClock();
    this.#audioClock.step(frame.ms, now.monotonicMs);
    const next = new AudioPeriod(this.#setting(frame.ms, now), this.#audio);
    this.#begin(next);
    this.#give(next, frame.ms, frame.data);
  }

  /** How long a frame of the audio lasts; 0 while that is unknown. */
  get frameMs(): number {
    const aac = this.#audio?.aac;
    return aac === undefined ? 0 : (aac.samplesPerFrame * 1000) / aac.sampleRate;
  }

  #pushBesideVideo(period: Period, frame: HeldFrame): void {
    const last = this.#lastAudioMs;
    const isJump = last !== undefined && Math.abs(frame.ms - last - this.frameMs) > audioJumpMs;
    if (!isJump && this.#suspects.length === 0) {
      this.#lastAudioMs = frame.ms;
      this.#giveInRange(period, frame);
      return;
    }
    this.#suspects.push(frame);
    if (this.#suspects.length * this.frameMs < audioJumpMs) return;
    const suspects = this.#suspects;
    this.#suspects = [];
    this.#lastAudioMs = frame.ms;
    for (const one of suspects) this.#giveInRange(period, one);
  }

  #giveInRange(period: Period, { ms, data }: HeldFrame): void {
    const apartMs = ms - (this.#videoClock.lastMs ?? ms);
    if (Math.abs(apartMs) <= maxApartMs) this.#give(period, ms, data);
    else this.#dropUnusable(apartMs);
  }

  #dropUnusable(apartMs: number): void {
    this.#sound.dropped(apartMs);
    this.#ports.warn('audioOutOfRange', `audio is ${seconds(apartMs)} away from video and is dropped`);
  }

  #give(period: Period, ms: number, data: Uint8Array): void {
    const verdict = period.pushAudio(ms, data);
    if (verdict === 'late') this.#sound.dropped(ms - (this.#videoClock.lastMs ?? ms));
    else if (verdict !== 'early') this.#sound.used();
    if (verdict === 'gap')
      this.#ports.warn('audioGap', 'audio jumped ahead: the hole is filled with silence');
    if (verdict === 'late')
      this.#ports.warn('audioOutOfRange', 'audio came after its time had been filled and is dropped');
  }

  marks(ordinal: number): PeriodMarks | undefined {
    return this.#periods.find((period) => period.ordinal === ordinal)?.marks();
  }

  open(ordinal: number, place: PeriodPlace): void {
    this.#periods.find((period) => period.ordinal === ordinal)?.open(place);
    this.#forgetDone();
  }

  /** The connection is gone: the unfinished segment becomes the tail (M4). */
  close(now: Now): void {
    this.#settleHeldPictures(now);
    this.#current?.end('tail');
    this.#current = undefined;
    this.#held = [];
    this.#suspects = [];
    this.#forgetDone();
  }
}
