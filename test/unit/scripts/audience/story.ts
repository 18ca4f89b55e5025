/** Made-up histories, told happening by happening. */
import type { HistoryEvent, History, Read, Seen } from '../../../../scripts/audience/history.ts';

export const startMs = 1_000_000;
export const textOf = (n: number): string => `comment ${n}`;
export const idOf = (n: number): string => `demo~${String(n).padStart(3, '0')}`;

/** Comment `n` is the `n`th of the stream, by `a`, unless it says otherwise. */
export const seen = (n: number, more: Partial<Seen> = {}): Seen => ({
  id: idOf(n),
  createdAtMs: startMs + n,
  author: 'id of a',
  text: textOf(n),
  hidden: false,
  likes: 0,
  ...more,
});

/** Writes a history, each happening 10 ms after the one before it. */
export class Story {
  readonly #events: HistoryEvent[] = [];
  #atMs = 0;

  add(...events: readonly DistributedOmit<HistoryEvent, 'atMs'>[]): this {
    for (const event of events) this.#events.push({ ...event, atMs: (this.#atMs += 10) });
    return this;
  }

  passes(ms: number): this {
    this.#atMs += ms;
    return this;
  }

  joins(user: string): this {
    return this.add({ kind: 'joined', user, edge: 'e1', resume: 'complete' });
  }

  sends(n: number, user = 'a'): this {
    return this.add({ kind: 'sent', user, clientId: `c${n}`, text: textOf(n) });
  }

  acknowledges(n: number, user = 'a', id = idOf(n)): this {
    const createdAtMs = startMs + n;
    return this.add({ kind: 'acknowledged', user, clientId: `c${n}`, id, createdAtMs });
  }

  comments(n: number, user = 'a'): this {
    return this.sends(n, user).acknowledges(n, user);
  }

  tells(user: string, comment: Seen, message: 'comment' | 'commentUpdated' = 'comment'): this {
    return this.add({ kind: 'told', user, message, comment });
  }

  reads(user: string, items: readonly Seen[], more: Partial<Read> = {}): this {
    return this.add({
      kind: 'read',
      user,
      edge: 'e1',
      askedAtMs: this.#atMs + 5,
      order: 'newestFirst',
      from: undefined,
      hasMore: false,
      items,
      isLast: false,
      ...more,
    });
  }

  /** Both edges have all of it in the end. */
  ends(items: readonly Seen[], other = items): this {
    const last = { order: 'oldestFirst', isLast: true } as const;
    return this.reads('reader of e1', items, { ...last, edge: 'e1' }).reads('reader of e2', other, {
      ...last,
      edge: 'e2',
    });
  }

  get history(): History {
    return this.#events;
  }
}

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export const story = (): Story => new Story();
