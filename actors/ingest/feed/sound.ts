/**
 * Finds the period of each frame of a feed's sound, and decides about frames that are out of place.
 *
 * Without a period frames wait for a keyframe. Where no video is heard of, they begin a period of sound alone.
 *
 * When an encoder restarts, its audio and its video jump one after the other. So audio that jumps alone is held for 500
 * ms. If video follows, the audio belongs to the next period; else it is a gap in this one.
 */
import { AudioPeriod } from './audio-period.ts';
import { FeedClock } from './clock/feed-clock.ts';
import type { Now } from '../ingest-events.ts';
import type { AudioConfiguration, Period } from './period.ts';
import { frameOverheadBytes } from './period.ts';
import type { FeedPorts, Periods } from './periods.ts';
import { UnusableSound } from './unusable-sound.ts';

interface Frame {
  readonly ms: number;
  readonly data: Uint8Array;
}

/** What the other half of the feed knows. */
export interface VideoSide {
  readonly hasVideo: () => boolean;
  /** The last picture's decode time. */
  readonly videoMs: () => number | undefined;
}

const audioJumpMs = 500;
/** Audio that is further from the video's clock than this is on another clock. */
const maxApartMs = 10_000;
/** The same right after a jump, when audio may still be on the old clock. */
const maxApartAtStartMs = 3000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class Sound {
  readonly #ports: Pick<FeedPorts, 'limits' | 'warn'>;
  readonly #periods: Periods;
  readonly #video: VideoSide;
  readonly #unusable = new UnusableSound();
  #configuration: AudioConfiguration | undefined;
  #clock = new FeedClock();
  #held: Frame[] = [];
  #suspects: Frame[] = [];
  #lastMs: number | undefined;
  #mustSwitchAtKey = false;

  constructor(ports: Pick<FeedPorts, 'limits' | 'warn'>, periods: Periods, video: VideoSide) {
    this.#ports = ports;
    this.#periods = periods;
    this.#video = video;
  }

  get configuration(): AudioConfiguration | undefined {
    return this.#configuration;
  }

  /** The period under way cannot take the sound as it is now: the next keyframe begins another. */
  get mustSwitchAtKey(): boolean {
    return this.#mustSwitchAtKey;
  }

  /** The sound of which no frame could be used for some time. */
  get unusable(): UnusableSound {
    return this.#unusable;
  }

  /** How far the sound of a feed without video has moved from the wall clock. */
  get driftMs(): number {
    return this.#clock.driftMs;
  }

  get heldBytes(): number {
    const held = [...this.#held, ...this.#suspects];
    return held.reduce((sum, { data }) => sum + data.length + frameOverheadBytes, 0);
  }

  /** How long a frame lasts; 0 while that is unknown. */
  get frameMs(): number {
    const aac = this.#configuration?.aac;
    return aac === undefined ? 0 : (aac.samplesPerFrame * 1000) / aac.sampleRate;
  }

  configure(audio: AudioConfiguration): void {
    const before = this.#configuration;
    if (before !== undefined && Buffer.compare(before.bytes, audio.bytes) === 0) return;
    if (before !== undefined)
      this.#ports.warn(
        'configurationChanged',
        `audio changed from ${before.aac.codecs} to ${audio.aac.codecs}, ${audio.aac.sampleRate} Hz`,
      );
    this.#configuration = audio;
    this.#held = [];
    const { current } = this.#periods;
    if (current?.kind === 'audio') this.#endPeriod();
    else if (current !== undefined) this.#mustSwitchAtKey = before !== undefined || !current.addAudio(audio);
  }

  /** The current period has ended. */
  onPeriodEnded(): void {
    this.#mustSwitchAtKey = false;
    this.#lastMs = undefined;
  }

  /** The pictures followed the frames that were held for them. */
  onVideoJumped(): void {
    this.#held = this.#suspects;
    this.#suspects = [];
  }

  /** Gives what has waited for this keyframe to the period that begins with it. */
  onVideoBegun(period: Period, cutMs: number): void {
    const frames = this.#held;
    this.#held = [];
    for (const { ms, data } of frames)
      if (ms >= cutMs && ms - cutMs <= maxApartMs) this.#give(period, ms, data);
  }

  onClosed(): void {
    this.#held = [];
    this.#suspects = [];
  }

  /** @param ms unwrapped; `data` is kept */
  onFrame(ms: number, data: Uint8Array, now: Now): void {
    if (this.#configuration === undefined) return;
    this.#unusable.at(now.runningMs);
    const { current } = this.#periods;
    if (current === undefined) {
      this.#hold(ms, data);
      if (!this.#video.hasVideo()) this.#considerAlone(this.#configuration, now);
    } else if (current.kind === 'audio') this.#pushAlone(this.#configuration, current, { ms, data }, now);
    else if (this.#mustSwitchAtKey) this.#hold(ms, data);
    else this.#pushBesideVideo(current, { ms, data });
  }

  #endPeriod(): void {
    this.#periods.endCurrent('segment');
    this.onPeriodEnded();
  }

  #hold(ms: number, data: Uint8Array): void {
    const apartMs = ms - (this.#video.videoMs() ?? ms);
    if (Math.abs(apartMs) > maxApartAtStartMs) return this.#dropUnusable(apartMs);
    this.#held.push({ ms, data });
    if (this.#held.length <= this.#ports.limits.maxHeldAudioFrames) return;
    this.#held.shift();
    this.#ports.warn('audioOutOfRange', 'audio that waits for a keyframe is dropped: it waits too long');
  }

  #aloneAfterMs(): number {
    const { audioOnlyAfterMs, audioOnlyDespiteMetadataMs } = this.#ports.limits;
    const { metadata } = this.#periods;
    if (metadata?.hasVideo === true) return audioOnlyDespiteMetadataMs;
    return metadata?.hasAudio === true ? audioJumpMs : audioOnlyAfterMs;
  }

  #considerAlone(audio: AudioConfiguration, now: Now): void {
    const first = this.#held[0];
    const last = this.#held.at(-1);
    if (first === undefined || last === undefined) return;
    const heldMs = last.ms - first.ms;
    if (Math.abs(heldMs) < this.#aloneAfterMs()) return;
    const began = { ...now, utcMs: now.utcMs - Math.max(0, heldMs) };
    const period = this.#periods.begin(first.ms, began, (setting) => new AudioPeriod(setting, audio));
    this.#clock = new FeedClock();
    const frames = this.#held;
    this.#held = [];
    for (const frame of frames) this.#give(period, frame.ms, frame.data);
  }

  #pushAlone(audio: AudioConfiguration, period: Period, frame: Frame, now: Now): void {
    const step = this.#clock.step(frame.ms, now.monotonicMs);
    if (step.kind === 'run') return this.#give(period, frame.ms, frame.data);
    this.#ports.warn('timestampJump', `the audio clock jumped by ${seconds(step.byMs)}: a new period begins`);
    this.#endPeriod();
    this.#clock = new FeedClock();
    this.#clock.step(frame.ms, now.monotonicMs);
    const next = this.#periods.begin(frame.ms, now, (setting) => new AudioPeriod(setting, audio));
    this.#give(next, frame.ms, frame.data);
  }

  #pushBesideVideo(period: Period, frame: Frame): void {
    const last = this.#lastMs;
    const isJump = last !== undefined && Math.abs(frame.ms - last - this.frameMs) > audioJumpMs;
    if (!isJump && this.#suspects.length === 0) {
      this.#lastMs = frame.ms;
      this.#giveInRange(period, frame);
      return;
    }
    this.#suspects.push(frame);
    if (this.#suspects.length * this.frameMs < audioJumpMs) return;
    const suspects = this.#suspects;
    this.#suspects = [];
    this.#lastMs = frame.ms;
    for (const one of suspects) this.#giveInRange(period, one);
  }

  #giveInRange(period: Period, { ms, data }: Frame): void {
    const apartMs = ms - (this.#video.videoMs() ?? ms);
    if (Math.abs(apartMs) <= maxApartMs) this.#give(period, ms, data);
    else this.#dropUnusable(apartMs);
  }

  #dropUnusable(apartMs: number): void {
    this.#unusable.dropped(apartMs);
    this.#ports.warn('audioOutOfRange', `audio is ${seconds(apartMs)} away from video and is dropped`);
  }

  #give(period: Period, ms: number, data: Uint8Array): void {
    const verdict = period.pushAudio(ms, data);
    if (verdict === 'late') this.#unusable.dropped(ms - (this.#video.videoMs() ?? ms));
    else if (verdict !== 'early') this.#unusable.used();
    if (verdict === 'gap')
      this.#ports.warn('audioGap', 'audio jumped ahead: the hole is filled with silence');
    if (verdict === 'late')
      this.#ports.warn('audioOutOfRange', 'audio came after its time had been filled and is dropped');
  }
}
