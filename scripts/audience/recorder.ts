/**
 * Keeps the history of simulated users, each happening with its time.
 *
 * Bound: so many happenings. A load ends when nine tenths of it are there. A history that went beyond the bound has holes and proves nothing.
 */
import type { Comment } from '../../cluster/contract/api/audience-views.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { History, HistoryEvent, Seen } from './history.ts';

/** About 100 MB. */
const mostEvents = 500_000;

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;

export class Recorder {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #most: number;
  readonly #events: HistoryEvent[] = [];
  /** One string for a text, however often it comes in. */
  readonly #texts = new Map<string, string>();
  readonly #acknowledged = new Set<string>();
  #sent = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>, most = mostEvents) {
    this.#clock = clock;
    this.#most = most;
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  note(event: WithoutTime<HistoryEvent>): void {
    if (this.hasHoles) return;
    this.#events.push({ ...event, atMs: this.nowMs });
    if (event.kind === 'acknowledged') this.#acknowledged.add(event.id);
    if (event.kind === 'sent') this.#sent += 1;
  }

  /** The same comment, whose text is kept once. */
  shared(seen: Seen): Seen {
    const text = this.#texts.get(seen.text);
    if (text === undefined) this.#texts.set(seen.text, seen.text);
    return text === undefined ? seen : { ...seen, text };
  }

  /** Whoever writes it should come to an end. */
  get isFull(): boolean {
    return this.#events.length >= 0.9 * this.#most;
  }

  get hasHoles(): boolean {
    return this.#events.length >= this.#most;
  }

  get history(): History {
    return this.#events;
  }

  /** Ids of all comments that somebody was acknowledged. */
  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged;
  }

  get sent(): number {
    return this.#sent;
  }
}

/** A comment of the API, as a history has it. */
export const seenOf = ({ id, createdAt, author, text, hidden, likes }: Comment): Seen => ({
  id,
  createdAtMs: Date.parse(createdAt),
  author: author.id,
  text,
  hidden,
  likes,
});
