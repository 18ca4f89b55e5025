/**
 * Where a load begins: at the place that the page's address names until one has begun there, whatever fails before; then,
 * when it goes on after a failure, at the place that was reached. Pure.
 */
import { liveWithinSeconds, type Load } from '../viewing/page-state.ts';
import type { Start } from './engine.browser.ts';

/** Nobody misses less than this. */
const cutFromSeconds = 1;

export class StartPlace {
  /** Of the stream's timeline; undefined once a load has begun there. */
  #wantedSeconds: number | undefined;
  /** What the load under way was told. */
  #toldSeconds: number | undefined;
  #reachedSeconds: number | undefined;
  #hasBegun = false;
  #isAtLive = false;

  constructor(wantedSeconds: number | undefined) {
    this.#wantedSeconds = wantedSeconds;
  }

  of({ kind, isResumed }: Exclude<Load, { kind: 'nothing' }>): Start {
    this.#hasBegun = false;
    const seconds = this.#wantedSeconds ?? (isResumed ? this.#reachedSeconds : undefined);
    this.#toldSeconds = seconds;
    if (seconds !== undefined) return { kind: 'at', seconds };
    return { kind: kind === 'recording' ? 'beginning' : 'live' };
  }

  /** A place that is wished for before anything plays. */
  want(seconds: number): void {
    this.#wantedSeconds = seconds;
  }

  /** @returns where to go now: a place that was wished for meanwhile */
  begun(): number | undefined {
    const wanted = this.#wantedSeconds;
    this.#hasBegun = true;
    this.#wantedSeconds = undefined;
    return wanted === this.#toldSeconds ? undefined : wanted;
  }

  /** Says whether the load under way, which can begin with `startSeconds`, is asked for something older. */
  isCut(startSeconds: number | undefined): boolean {
    const asked = this.#toldSeconds;
    return asked !== undefined && startSeconds !== undefined && asked < startSeconds - cutFromSeconds;
  }

  /** What an engine says before it has begun is no place of the viewer's. */
  reached(seconds: number, behindSeconds: number | undefined): void {
    if (!this.#hasBegun) return;
    this.#reachedSeconds = seconds;
    this.#isAtLive = behindSeconds !== undefined && behindSeconds < liveWithinSeconds;
  }

  /** Where another page would have to begin for this viewer; undefined: live, or at the beginning. */
  get lasting(): number | undefined {
    return this.#wantedSeconds ?? (this.#isAtLive ? undefined : this.#reachedSeconds);
  }
}
