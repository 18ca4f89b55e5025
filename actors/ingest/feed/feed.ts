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
 * This file sorts the pictures. periods.ts keeps the periods, and sound.ts finds the period of each frame of sound.
 */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import type { FeedMetadata } from '../../media/flv/script-tag.ts';
import { keyframeAdvice } from '../encoder-advice.ts';
import { FeedClock, type Step } from './clock/feed-clock.ts';
import type { Now, PeriodPlace } from '../ingest-events.ts';
import type { AudioConfiguration, Period } from './period.ts';
import { Periods, type FeedPorts } from './periods.ts';
import { RandomAccessStage, type Picture, type RawPicture } from './picture.ts';
import { Sound } from './sound.ts';
import type { UnusableSound } from './unusable-sound.ts';
import type { VideoConfiguration } from './video-configuration.ts';
import { VideoPeriod } from './video-period.ts';

/** A longer step of the video's clock may be a hole where pictures were dropped. */
const leastHoleMs = 1000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class Feed {
  readonly #ports: FeedPorts;
  #video: VideoConfiguration | undefined;
  readonly #periods: Periods;
  readonly #sound: Sound;
  readonly #stage = new RandomAccessStage();
  #videoClock = new FeedClock({ isFirst: true });
  #lastStepMs = 0;
  /** `dtsMs` is unknown until the first picture. */
  #keyWait: { readonly dtsMs: number | undefined; readonly runningMs: number } | undefined;
  #keyframeIntervalMs: number | undefined;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
    this.#periods = new Periods(ports);
    const videoNow = {
      hasVideo: () => this.#video !== undefined,
      videoMs: () => this.#videoClock.lastMs,
    };
    this.#sound = new Sound(ports, this.#periods, videoNow);
  }

  get video(): VideoConfiguration | undefined {
    return this.#video;
  }

  get audio(): AudioConfiguration | undefined {
    return this.#sound.configuration;
  }

  /** Media time between the last two IDRs. */
  get keyframeIntervalMs(): number | undefined {
    return this.#keyframeIntervalMs;
  }

  get driftMs(): number {
    return this.#videoClock.lastMs === undefined ? this.#sound.driftMs : this.#videoClock.driftMs;
  }

  get picturesInSegment(): number {
    return this.#periods.current?.picturesInSegment ?? 0;
  }

  /** Periods that were asked for or ended, and are not open. */
  get unopened(): readonly Period[] {
    return this.#periods.unopened;
  }

  get bufferedBytes(): number {
    return this.#periods.bufferedBytes + this.#sound.heldBytes + this.#stage.heldBytes;
  }

  /** The sound of which no frame could be used for some time. */
  get unusableSound(): UnusableSound {
    return this.#sound.unusable;
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
    this.#periods.onMetadata(metadata);
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
    this.#sound.configure(audio);
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
    this.#sound.onVideoJumped();
    this.#videoClock = new FeedClock();
    this.#videoClock.step(dtsMs, now.monotonicMs);
    this.#keyWait = { dtsMs, runningMs: now.runningMs };
  }

  #settleHeldPictures(now: Now): void {
    for (const picture of this.#stage.flush()) this.#place(picture, now);
  }

  #endCurrent(atMs?: number): void {
    this.#periods.endCurrent('segment', atMs);
    this.#sound.onPeriodEnded();
  }

  #place(picture: Picture, now: Now): void {
    const before = this.#periods.current;
    if (picture.isKey) {
      this.#noteKey(picture, now);
      if (before?.kind !== 'video' || this.#sound.mustSwitchAtKey) this.#beginVideo(picture, now);
    } else if (before?.kind !== 'video')
      this.#ports.warn('beforeKeyframe', 'pictures before the first keyframe of a period are dropped');
    this.#periods.current?.pushPicture(picture);
  }

  #noteKey(picture: Picture, now: Now): void {
    if (this.#periods.current?.kind === 'video' && this.#keyWait?.dtsMs !== undefined) {
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

  #beginVideo(key: Picture, now: Now): void {
    const video = this.#video;
    if (video === undefined) return;
    this.#endCurrent(key.cutMs);
    const audio = this.#sound.configuration;
    const period = this.#periods.begin(key.cutMs, now, (setting) => new VideoPeriod(setting, video, audio));
    this.#sound.onVideoBegun(period, key.cutMs);
  }

  /** @param ms unwrapped; `data` is kept */
  onAudioFrame(ms: number, data: Uint8Array, now: Now): void {
    this.#sound.onFrame(ms, data, now);
  }

  /** How long a frame of the audio lasts; 0 while that is unknown. */
  get frameMs(): number {
    return this.#sound.frameMs;
  }

  marks(ordinal: number): PeriodMarks | undefined {
    return this.#periods.marks(ordinal);
  }

  open(ordinal: number, place: PeriodPlace): void {
    this.#periods.open(ordinal, place);
  }

  /** The connection is gone: the unfinished segment becomes the tail (M4). */
  close(now: Now): void {
    this.#settleHeldPictures(now);
    this.#periods.endCurrent('tail');
    this.#sound.onClosed();
  }
}
