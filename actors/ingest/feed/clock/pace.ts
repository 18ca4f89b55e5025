/**
 * Whether a feed's clocks run at the pace of the wall clock: what stands still, crawls or races is refused within 10 s.
 *
 * Media may come late and in bursts, so a slow clock is told from a slow network by what comes in: a network delivers fewer
 * samples, a slow clock squeezes as many into less time. This is judged over windows of 4 s in which samples came without
 * a pause. A window is bad when
 * - its audio frames together play for longer than their times advance;
 * - the video has more than 150 pictures to a second of its own clock, which no encoder sends and no network makes;
 * - the video advances by less than 60 % of the wall's time while audio keeps up;
 * - or, without audio, the video advances as slowly, and a second of its clock holds one and a half times as many pictures
 *   as the most while it kept up. Where more pictures come in than ever before, a slow network delivers what it held back:
 *   no clock makes an encoder faster.
 *
 * One bad window is enough for the 150 pictures; two in a row for the rest; eight for pictures alone whose rate had varied
 * before: theirs may rise, and their bytes with it, just where a network is too slow for them.
 *
 * A fast clock leads the wall clock more and more. An encoder that catches up after a stall does not: it comes back to the lead
 * that it had. A lead may grow by 5 % of the time, and be a minute more than that at once: what relays, replay
 * buffers, and encoders that come back after an outage send when they begin.
 */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { maxFramesPerSecond } from '../../../../cluster/model/media-limits.ts';
import type { TrackName } from './time-gate.ts';

const windowMs = 4000;
const windowsToRefuse = 2;
const windowsToRefuseVarying = 8;
/** A pause in what comes in: the network's, not the clock's. */
const pauseMs = 1000;
/** Steps beyond these are jumps, and no pace. */
const maxBackMs = 500;
const maxStepMs = 10_000;
const audioMargin = 1.1;
/** A picture rate by the video's own clock that no feed has: 120, and what a clock of milliseconds makes of it. */
const impossibleRate = maxFramesPerSecond * 1.25;
const leastPictures = 3;
const crawling = 0.6;
const keepingUp = 0.9;
const squeezed = 1.5;
/** Rates further apart are no accident: they vary. */
const varying = 1.25;
const maxLeadMs = 60_000;
const leadGrowth = 0.05;
const leadLeak = 0.01;

interface Window {
  readonly sinceMs: number;
  advanceMs: number;
  samples: number;
}

class TrackPace {
  window: Window | undefined;
  slowWindows = 0;
  /** Pictures to a second of a clock that kept up, in a window: the most and the fewest so far. */
  mostRate = 0;
  leastRate = Infinity;
  lastMs = 0;
  lastArrivedMs = 0;
  /** Share of the wall's time by which the clock advanced in the last whole window; unknown after a pause. */
  lastPace: number | undefined;

  /** The same of the window under way, once it has lasted for half of one. */
  get recentPace(): number | undefined {
    const lastedMs = this.lastArrivedMs - (this.window?.sinceMs ?? this.lastArrivedMs);
    return this.window === undefined || lastedMs < windowMs / 2
      ? this.lastPace
      : this.window.advanceMs / lastedMs;
  }

  leadMs = 0;

  noteRate(rate: number): void {
    this.mostRate = Math.max(this.mostRate, rate);
    this.leastRate = Math.min(this.leastRate, rate);
  }

  begin(ms: number, arrivedMs: number): void {
    this.window = { sinceMs: arrivedMs, advanceMs: 0, samples: 0 };
    this.lastMs = ms;
    this.lastArrivedMs = arrivedMs;
  }
}

export class Pace {
  readonly #tracks = { video: new TrackPace(), audio: new TrackPace() };

  /**
   * @param frameMs what a frame of this audio lasts; 0 for video
   * @throws TangazaError `MEDIA_INVALID` with the pace, when it is not the wall clock's
   */
  note(name: TrackName, ms: number, arrivedMs: number, frameMs: number): void {
    const track = this.#tracks[name];
    const { window, lastMs, lastArrivedMs } = track;
    const step = ms - lastMs;
    const isJump = step < -maxBackMs || step > maxStepMs;
    if (window === undefined || isJump) {
      track.leadMs = ms - arrivedMs;
      track.begin(ms, arrivedMs);
      return;
    }
    this.#checkLead(name, ms - arrivedMs, arrivedMs - lastArrivedMs);
    if (name === 'audio' && arrivedMs - lastArrivedMs > pauseMs) {
      track.lastPace = undefined;
      return track.begin(ms, arrivedMs);
    }
    window.advanceMs += step;
    window.samples += 1;
    track.lastMs = ms;
    track.lastArrivedMs = arrivedMs;
    const wallMs = arrivedMs - window.sinceMs;
    if (wallMs < windowMs) return;
    this.#judge(name, window, wallMs, frameMs);
    track.begin(ms, arrivedMs);
  }

  #checkLead(name: TrackName, leadMs: number, passedMs: number): void {
    const track = this.#tracks[name];
    const aheadMs = leadMs - track.leadMs;
    track.leadMs +=
      aheadMs > 0 ? Math.min(aheadMs, leadGrowth * passedMs) : -Math.min(-aheadMs, leadLeak * passedMs);
    if (leadMs - track.leadMs <= maxLeadMs) return;
    throw new TangazaError(
      'MEDIA_INVALID',
      `The ${name} runs ahead of real time, by ${maxLeadMs / 1000} s by now: send it at the pace at which it plays (ffmpeg: -re before -i)`,
    );
  }

  #judge(name: TrackName, window: Window, wallMs: number, frameMs: number): void {
    const track = this.#tracks[name];
    const isImpossible =
      name === 'video' && rateOf(window) > impossibleRate && window.samples >= leastPictures;
    const isSlow =
      name === 'audio' ? isAudioSlow(window, wallMs, frameMs) : this.#isVideoSlow(window, wallMs);
    track.lastPace = window.advanceMs / wallMs;
    track.slowWindows = isSlow ? track.slowWindows + 1 : 0;
    if (isImpossible || track.slowWindows >= this.#patience(name))
      throw new TangazaError('MEDIA_INVALID', sentence(name, window, wallMs));
  }

  #isVideoSlow(window: Window, wallMs: number): boolean {
    const { video, audio } = this.#tracks;
    const rate = rateOf(window);
    const pace = window.advanceMs / wallMs;
    if (pace >= keepingUp) {
      video.noteRate(rate);
      return false;
    }
    if (pace >= crawling || window.samples < leastPictures) return false;
    if (audio.window !== undefined) return (audio.recentPace ?? 0) >= keepingUp;
    const isFasterThanEver = (window.samples * 1000) / wallMs > varying * video.mostRate;
    return video.mostRate > 0 && rate > squeezed * video.mostRate && !isFasterThanEver;
  }

  #patience(name: TrackName): number {
    const { video, audio } = this.#tracks;
    const isVarying = name === 'video' && video.mostRate > varying * video.leastRate;
    return isVarying && audio.window === undefined ? windowsToRefuseVarying : windowsToRefuse;
  }
}

/** Samples to a second of their own clock. */
const rateOf = ({ advanceMs, samples }: Window): number => (samples * 1000) / Math.max(1, advanceMs);

function isAudioSlow({ advanceMs, samples }: Window, wallMs: number, frameMs: number): boolean {
  return samples * frameMs > audioMargin * advanceMs && wallMs > audioMargin * advanceMs;
}

function sentence(name: TrackName, { advanceMs, samples }: Window, wallMs: number): string {
  const perSecond = Math.round((samples * 1000) / wallMs);
  if (name === 'video' && perSecond > impossibleRate)
    return `${perSecond} pictures a second come in: send at most ${maxFramesPerSecond}`;
  const what = name === 'video' ? 'pictures' : 'frames';
  const pace = (advanceMs / wallMs).toFixed(2);
  return (
    `The clock of the ${name} crawls: its times advance by ${pace} s in a second of real time, ` +
    `in which ${perSecond} ${what} come in. Restart the encoder, or set its time base right`
  );
}
