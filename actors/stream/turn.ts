/**
 * One turn of an owner: collects the next state and the effects asked for. The parts of the core share it during the
 * turn only.
 */
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { OwnerEvent } from './owner/owner-events.ts';
import type { Effect, Now, OwnerState } from './owner/owner-state.ts';
import type { PendingSegment } from './owner/state/pipeline-state.ts';
import type { ReplyTo } from './owner/state/publishers-state.ts';

export class Turn {
  readonly now: Now;
  readonly effects: Effect[] = [];
  #state: OwnerState;

  constructor(state: OwnerState, now: Now) {
    this.#state = state;
    this.now = now;
  }

  get state(): OwnerState {
    return this.#state;
  }

  get nowMs(): number {
    return this.now.runningMs;
  }

  set(change: Partial<OwnerState>): void {
    this.#state = { ...this.#state, ...change };
  }

  ask(effect: Effect): void {
    this.effects.push(effect);
  }

  refuse(to: ReplyTo, code: ErrorCode, detail: string): void {
    this.ask({ kind: 'refuse', to, code, detail });
  }

  count(event: OwnerEvent, by = 1): void {
    this.ask({ kind: 'count', event, by });
  }

  say(level: 'info' | 'warn' | 'error', message: string, fields: object = {}): void {
    this.ask({ kind: 'say', level, message, fields });
  }

  /** Changes one pending segment, if it is still pending. */
  change(segment: PendingSegment, change: Partial<PendingSegment>): PendingSegment {
    const changed = { ...segment, ...change };
    this.set({ pending: this.#state.pending.map((one) => (isSame(one, segment) ? changed : one)) });
    return changed;
  }
}

/** Whether both are the segment at the same time of the same period. */
function isSame(a: PendingSegment, b: PendingSegment): boolean {
  return a.offer.period === b.offer.period && a.offer.start90k === b.offer.start90k;
}
