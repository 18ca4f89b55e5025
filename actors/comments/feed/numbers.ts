/**
 * Numbers the events of a stream, so that a node notices that it missed one (A7).
 *
 * A sender takes its numbers from one counter that only grows, and each event names the one before it of the same stream. So a sender may
 * forget a stream that has been quiet, and its next event there is neither a gap nor an old one. The newest number of each stream, its
 * *head*, is repeated each second, so that the loss of the last event is noticed, too.
 */
import type { BootId, NodeId, StreamId } from '../../../cluster/model/ids.ts';

/** What a sender says of its place in a stream. */
export interface Head {
  /** Its newest event of this stream. */
  readonly number: number;
  /** When it told its first event of this stream, as far as it knows, UTC. */
  readonly firstAtMs: number;
}

export interface Numbered extends Head {
  /** The number of the sender's event before it, of this stream; 0 where it knows of none. */
  readonly previous: number;
}

const mostStreams = 5000;
const quietMs = 600_000;

/** The numbers that this node gives. */
export class SentNumbers {
  readonly #heads = new Map<StreamId, Head & { readonly atMs: number }>();
  #last = 0;

  next(stream: StreamId, nowMs: number): Numbered {
    const { number: previous, firstAtMs } = this.#heads.get(stream) ?? { number: 0, firstAtMs: nowMs };
    this.#last += 1;
    this.#heads.delete(stream);
    this.#heads.set(stream, { number: this.#last, firstAtMs, atMs: nowMs });
    const [oldest] = this.#heads.keys();
    if (this.#heads.size > mostStreams && oldest !== undefined) this.#heads.delete(oldest);
    return { number: this.#last, previous, firstAtMs };
  }

  /** The head of one stream; 0 where nothing was told. */
  head(stream: StreamId, nowMs: number): Head {
    const { number, firstAtMs } = this.#heads.get(stream) ?? { number: 0, firstAtMs: nowMs };
    return { number, firstAtMs };
  }

  /** The head of each stream that had an event in the last 10 minutes. */
  heads(nowMs: number): readonly (Head & { readonly stream: StreamId })[] {
    for (const [stream, { atMs }] of this.#heads) {
      if (nowMs - atMs < quietMs) break;
      this.#heads.delete(stream);
    }
    return [...this.#heads].map(([stream, { number, firstAtMs }]) => ({ stream, number, firstAtMs }));
  }
}

export interface Sender {
  readonly node: NodeId;
  readonly bootId: BootId;
}

/** What a number says of the events before it. */
export type Verdict =
  /** None is missing. */
  | { readonly kind: 'next' }
  /** It was heard before, or it comes late. */
  | { readonly kind: 'again' }
  /** Something is missing that was told at or after this time. */
  | { readonly kind: 'gap'; readonly fromMs: number }
  /** Nothing was heard so far of this life of a node, and it told something at or after this time. */
  | { readonly kind: 'unknown'; readonly fromMs: number };

const mostSenders = 1000;

/** The numbers that this node has heard of one stream. */
export class HeardNumbers {
  readonly #last = new Map<string, { readonly number: number; readonly atMs: number }>();

  event(sender: Sender, { number, previous, firstAtMs }: Numbered, nowMs: number): Verdict {
    const last = this.#note(sender, number, nowMs);
    if (last === undefined) return previous === 0 ? { kind: 'next' } : { kind: 'unknown', fromMs: firstAtMs };
    if (number <= last.number) return { kind: 'again' };
    return previous <= last.number ? { kind: 'next' } : { kind: 'gap', fromMs: last.atMs };
  }

  head(sender: Sender, { number, firstAtMs }: Head, nowMs: number): Verdict {
    if (number === 0) return { kind: 'again' };
    const last = this.#note(sender, number, nowMs);
    if (last === undefined) return { kind: 'unknown', fromMs: firstAtMs };
    return number <= last.number ? { kind: 'again' } : { kind: 'gap', fromMs: last.atMs };
  }

  /** @returns what was heard of the sender before */
  #note(sender: Sender, number: number, nowMs: number) {
    const key = `${sender.node} ${sender.bootId}`;
    const last = this.#last.get(key);
    this.#last.delete(key);
    this.#last.set(key, { number: Math.max(number, last?.number ?? 0), atMs: nowMs });
    const [oldest] = this.#last.keys();
    if (this.#last.size > mostSenders && oldest !== undefined) this.#last.delete(oldest);
    return last;
  }
}
