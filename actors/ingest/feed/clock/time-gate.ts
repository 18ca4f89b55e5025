/**
 * Lets through what a feed's clocks make plausible. A sample whose time does not follow from the one before is a
 * suspect: it is held back until what comes next decides about it.
 *
 * - The next samples go on where the clock was: the suspects were outliers. They are shown between their neighbours.
 * - Five samples in a row go on from a suspect, or the other track went the same way: the clock has jumped. All pass as
 *   they were told, and what a jump means is for `feed-clock.ts`.
 * - Neither happens for two seconds or 4 MiB: two that agree are believed, others are stamped by when they came. Where
 *   that goes on for eight seconds, and no two agree, the feed has no clock and is refused.
 *
 * A step is plausible when it is short, or no longer than the time that the track lies behind its best lead over the
 * wall clock: an encoder whose network stood still sends what it has all at once, with holes for what it dropped.
 *
 * A feed may begin with a burst (a relay sends newcomers what it has kept since the last keyframe), and slow video has
 * long steps in it. So while a track has been heard for less than two seconds, two suspects agree when the second lies
 * at most 10 s ahead of the first.
 *
 * The samples of a track come out in the order they went in, each once; none is lost. A suspect is held for at most
 * `maxHeldMs`, and without a suspect nothing is held.
 */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';

export type TrackName = 'video' | 'audio';

export interface Timed<T> {
  readonly track: TrackName;
  /** Decode time as told, unwrapped. */
  readonly ms: number;
  readonly arrivedMs: number;
  readonly bytes: number;
  readonly value: T;
}

/** A sample that may go on at `ms`; `outlierByMs` says how far off it was told, where it was mended. */
export interface Released<T> {
  readonly value: T;
  readonly ms: number;
  readonly outlierByMs?: number;
}

/** Longer steps must be made plausible by the wall clock, or by what follows. */
const freeStepMs = 250;
/** The same between suspects, of whose clock nothing is known yet: slow video may come in a burst. */
const freeSuspectStepMs = 1000;
/** A track that has been heard for less is young: all of it may be the burst with which a feed begins. */
const youthMs = 2000;
/** Back by more is suspicious; less is the jitter of an encoder's clock. */
const freeBackMs = 100;
/** A track whose usual step is long (slow video) is given so many of them. */
const usualSteps = 3;
/** No hole in a feed is longer: beyond it the clock has jumped, if it is true at all. */
const maxHoleMs = 10_000;
/** A burst of outliers is shorter. */
const believedFrom = 5;
/** Together with the other track fewer do: both were restarted. */
const believedTogetherFrom = 4;
const togetherMs = 3000;
const minHeldMs = 2000;
const maxHeldMs = 12_000;
const maxHeldBytes = 4 * 1024 * 1024;
const heldOverheadBytes = 256;
/** No sample has followed from another for so long: there is no clock. */
const senselessMs = 8000;
/** A clock that is slow is not for ever measured against its first minute. */
const leak = 0.01;

interface Good {
  readonly ms: number;
  readonly arrivedMs: number;
}

class Track<T> {
  last: Good | undefined;
  /** When the first sample came. */
  #firstAtMs: number | undefined;
  /** When a sample followed from the one before it, last. */
  soundAtMs = 0;
  usualMs = 0;
  leadMs = -Infinity;
  held: Timed<T>[] = [];
  heldBytes = 0;
  /** Where in `held` the samples begin that follow from each other. */
  chainStart = 0;

  get chain(): number {
    return this.held.length - this.chainStart;
  }

  isLate(nowMs: number): boolean {
    const first = this.held[0];
    if (first === undefined) return false;
    const patienceMs = Math.min(maxHeldMs, Math.max(minHeldMs, usualSteps * this.usualMs));
    return this.heldBytes > maxHeldBytes || nowMs - first.arrivedMs >= patienceMs;
  }

  follows(from: Good, to: Good): boolean {
    const step = to.ms - from.ms;
    if (step < -freeBackMs || step > maxHoleMs) return false;
    if (step <= Math.max(freeStepMs, usualSteps * this.usualMs)) return true;
    return to.ms - to.arrivedMs <= this.leadMs + freeStepMs;
  }

  /** A suspect's clock has no lead to be measured by, but the wall's time that has passed. */
  continues(from: Good, to: Good): boolean {
    const step = to.ms - from.ms;
    const freeMs = Math.max(
      freeSuspectStepMs,
      usualSteps * this.usualMs,
      to.arrivedMs - from.arrivedMs + freeStepMs,
    );
    return step >= 0 && step <= (this.#isYoung ? maxHoleMs : Math.min(maxHoleMs, freeMs));
  }

  get #isYoung(): boolean {
    if (this.last === undefined || this.#firstAtMs === undefined) return true;
    return this.last.arrivedMs - this.#firstAtMs < youthMs;
  }

  accept(good: Good, isSound: boolean): void {
    const lead = good.ms - good.arrivedMs;
    if (this.last !== undefined && isSound) {
      const passedMs = Math.max(0, good.arrivedMs - this.last.arrivedMs);
      const stepMs = Math.max(0, good.ms - this.last.ms);
      this.leadMs = Math.max(lead, this.leadMs - leak * passedMs);
      this.usualMs += (stepMs - this.usualMs) / 8;
    } else this.leadMs = lead;
    if (isSound) this.soundAtMs = good.arrivedMs;
    this.#firstAtMs ??= good.arrivedMs;
    this.last = good;
  }

  hold(sample: Timed<T>): void {
    const before = this.held.at(-1);
    if (before !== undefined && !this.continues(before, sample)) this.chainStart = this.held.length;
    this.held.push(sample);
    this.heldBytes += sample.bytes + heldOverheadBytes;
  }

  take(): readonly Timed<T>[] {
    const held = this.held;
    this.held = [];
    this.heldBytes = 0;
    this.chainStart = 0;
    return held;
  }
}

const asTold = <T>({ value, ms }: Timed<T>): Released<T> => ({ value, ms });
const mended = <T>({ value, ms: told }: Timed<T>, ms: number): Released<T> => ({
  value,
  ms,
  outlierByMs: told - ms,
});

export class TimeGate<T> {
  readonly #tracks = { video: new Track<T>(), audio: new Track<T>() };

  get heldBytes(): number {
    return this.#tracks.video.heldBytes + this.#tracks.audio.heldBytes;
  }

  /** @throws TangazaError `MEDIA_INVALID` when the times of a track make no sense for 8 s */
  push(sample: Timed<T>): readonly Released<T>[] {
    const track = this.#tracks[sample.track];
    const { last } = track;
    const isSound = last === undefined ? track.held.length === 0 : track.follows(last, sample);
    if (isSound) return track.held.length === 0 ? this.#pass(track, sample) : this.#resume(track, sample);
    track.hold(sample);
    return this.#decide(sample.track, sample.arrivedMs);
  }

  /** What has waited for too long. @throws as `push` */
  tick(nowMs: number): readonly Released<T>[] {
    if (this.heldBytes === 0) return [];
    return [this.#tracks.video, this.#tracks.audio].flatMap((track) => this.#expire(track, nowMs));
  }

  /** All that is held: nothing more will follow on these clocks. */
  flush(): readonly Released<T>[] {
    return [this.#tracks.video, this.#tracks.audio].flatMap((track) => this.#giveUp(track));
  }

  #pass(track: Track<T>, sample: Timed<T>): readonly Released<T>[] {
    track.accept(sample, true);
    return [asTold(sample)];
  }

  /** The clock goes on where it was: what was held lies between. */
  #resume(track: Track<T>, next: Timed<T>): readonly Released<T>[] {
    const held = track.take();
    const fromMs = track.last?.ms ?? next.ms;
    const stepMs = Math.max(0, next.ms - fromMs) / (held.length + 1);
    track.accept(next, true);
    return [...held.map((one, i) => mended(one, Math.round(fromMs + stepMs * (i + 1)))), asTold(next)];
  }

  #decide(name: TrackName, nowMs: number): readonly Released<T>[] {
    const track = this.#tracks[name];
    if (track.chain >= believedFrom) return this.#believe(track);
    const other = this.#tracks[name === 'video' ? 'audio' : 'video'];
    if (isTogether(track, other)) return [...this.#believe(other), ...this.#believe(track)];
    return this.#expire(track, nowMs);
  }

  /** The clock has jumped; what lay before the samples that agree is no part of the new one. */
  #believe(track: Track<T>): readonly Released<T>[] {
    const strays = track.chainStart;
    const held = track.take();
    const before = this.#stampByArrival(track, held.slice(0, strays));
    const chain = held.slice(strays);
    if (chain.length > 0) track.last = undefined;
    for (const one of chain) track.accept(one, true);
    return [...before, ...chain.map(asTold)];
  }

  #expire(track: Track<T>, nowMs: number): readonly Released<T>[] {
    const last = track.held.at(-1);
    if (last === undefined || !track.isLate(nowMs)) return [];
    if (track.chain < 2 && last.arrivedMs - track.soundAtMs > senselessMs) {
      throw new TangazaError(
        'MEDIA_INVALID',
        `The times of the ${last.track} make no sense: for ${senselessMs / 1000} s none has followed from the one before`,
      );
    }
    return this.#giveUp(track);
  }

  #giveUp(track: Track<T>): readonly Released<T>[] {
    return track.chain >= 2 ? this.#believe(track) : this.#stampByArrival(track, track.take());
  }

  #stampByArrival(track: Track<T>, samples: readonly Timed<T>[]): readonly Released<T>[] {
    return samples.map((sample) => {
      const { ms, arrivedMs } = sample;
      const { last } = track;
      const stampMs = last === undefined ? ms : last.ms + Math.max(1, Math.round(arrivedMs - last.arrivedMs));
      track.accept({ ms: stampMs, arrivedMs }, false);
      return mended(sample, stampMs);
    });
  }
}

/** Whether the other track stands, or waits, where this one's suspects are. */
function isTogether<T>(track: Track<T>, other: Track<T>): boolean {
  const newest = track.held.at(-1);
  const there = other.held.at(-1) ?? other.last;
  if (newest === undefined || there === undefined) return false;
  if (Math.abs(there.ms - newest.ms) > togetherMs) return false;
  if (other.held.length > 0) return track.chain + other.chain >= believedTogetherFrom;
  const isAway = track.last === undefined || Math.abs(track.last.ms - there.ms) > togetherMs;
  return isAway && track.chain >= 2;
}
