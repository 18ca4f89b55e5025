/**
 * How many like each comment, and how many answers are below it (A4).
 *
 * The database counts; here the numbers are remembered for a moment, so that a crowd that reads the same page costs one count. What was liked
 * or answered here is counted anew within a second, and told to all nodes: numbers, not differences, so that one that is lost does no harm.
 * What nobody here changed may have changed all the same, in another data centre: what is read is counted in turn (recounts.ts), and told
 * where it is another number.
 * Bounds: numbers of 20,000 comments, of which those asked for least lately go; 5,000 comments that wait to be counted, above which
 * the next reader counts them; `leftOut` counts those.
 */
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import type { LikeStore } from '../store/like-store.ts';
import type { ThreadStore } from '../store/thread-store.ts';
import { Recounts } from './recounts.ts';

export interface Tally {
  readonly likes: number;
  /** Below it, at any depth, without the hidden and the held. */
  readonly replies: number;
}

export type Tallies = ReadonlyMap<CommentId, Tally>;

export interface Counted {
  readonly streamId: StreamId;
  readonly counts: readonly (Tally & { readonly id: CommentId })[];
}

/** What was counted anew in one turn. */
export interface Recounted extends Counted {
  /** Those that changed in this region: the other regions do not know of them yet. */
  readonly changedHere: readonly CommentId[];
}

export interface CountPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly store: Pick<LikeStore, 'likes'> & Pick<ThreadStore, 'replies'>;
  /**
   * Counts the sets anew, and keeps what it finds; undefined where `likes` counts them each time.
   *
   * @throws TangazaError as the store throws it
   */
  readonly recountLikes?: LikeStore['likes'] | undefined;
}

interface Found {
  readonly likes: ReadonlyMap<CommentId, number>;
  readonly replies: ReadonlyMap<CommentId, number>;
}

interface Known extends Tally {
  readonly atMs: number;
}

export const noTally: Tally = { likes: 0, replies: 0 };
const goodForMs = 2000;
const mostKnown = 20_000;
const mostWaiting = 5000;
/** Counted in one turn. */
const mostAtOnce = 500;

export class Counts {
  readonly #ports: CountPorts;
  readonly #known = new Map<CommentId, Known>();
  /** With whether they changed in this region. */
  readonly #waiting = new Map<CommentId, boolean>();
  readonly #recounts = new Recounts();
  /** Counts that are under way, so that a crowd that asks at once has one. A change ends it: who asks after that counts anew. */
  readonly #underWay = new Map<CommentId, Promise<void>>();
  leftOut = 0;

  constructor(ports: CountPorts) {
    this.#ports = ports;
  }

  /** As last counted or told, however long ago. */
  known(id: CommentId): Tally {
    return this.#known.get(id) ?? noTally;
  }

  /** @throws TangazaError as the store throws it */
  async of(ids: readonly CommentId[]): Promise<Tallies> {
    const nowMs = this.#ports.clock.monotonicMs();
    const freshMs = nowMs - goodForMs;
    this.#used(ids, nowMs);
    await this.#countOnce(ids.filter((id) => (this.#known.get(id)?.atMs ?? -Infinity) < freshMs));
    return new Map(ids.map((id) => [id, this.known(id)]));
  }

  /** Something changed here: they are counted soon, and told. */
  changed(ids: readonly CommentId[]): void {
    this.#used(ids, this.#ports.clock.monotonicMs());
    for (const id of ids) this.#wait(id, true);
  }

  /** Something changed in another region. */
  changedElsewhere(ids: readonly CommentId[]): void {
    this.#used(ids, this.#ports.clock.monotonicMs());
    for (const id of ids) this.#wait(id, false);
  }

  /** Another node has counted. */
  heard({ counts }: Counted): void {
    for (const { id, likes, replies } of counts) this.#set(id, { likes, replies });
  }

  /**
   * Counts what has changed, by stream. To be called each second. What the store does not count now waits for the next time.
   *
   * @throws TangazaError as the store throws it
   */
  async recount(): Promise<readonly Recounted[]> {
    const turn = new Map([...this.#waiting].slice(0, mostAtOnce));
    for (const id of turn.keys()) this.#waiting.delete(id);
    try {
      await this.#count([...turn.keys()]);
    } catch (error) {
      for (const [id, isHere] of turn) this.#wait(id, isHere);
      throw error;
    }
    const byStream = Map.groupBy(turn.keys(), (id) => placeOfComment(id).streamId);
    return [...byStream].map(([streamId, ids]) => ({
      streamId,
      counts: ids.map((id) => ({ id, ...pick(this.known(id)) })),
      changedHere: ids.filter((id) => turn.get(id) === true),
    }));
  }

  /**
   * Counts in turn what is read, where the store keeps counts. To be called each second.
   *
   * @returns those whose numbers were others than known
   * @throws TangazaError as the store throws it
   */
  async recountRead(): Promise<readonly Counted[]> {
    const { recountLikes, store, clock } = this.#ports;
    if (recountLikes === undefined) return [];
    const ids = this.#recounts.due(clock.monotonicMs(), (id) => this.known(id).likes > 0);
    if (ids.length === 0) return [];
    const before = new Map(ids.map((id) => [id, this.#known.get(id)]));
    const [likes, replies] = await Promise.all([recountLikes(ids), store.replies(ids)]);
    this.#take(ids, { likes, replies });
    for (const id of ids) this.#recounts.counted(id, likes.get(id) ?? 0, clock.monotonicMs());
    const others = ids.filter((id) => !isSame(before.get(id), this.known(id)));
    const byStream = Map.groupBy(others, (id) => placeOfComment(id).streamId);
    return [...byStream].map(([streamId, ofStream]) => ({
      streamId,
      counts: ofStream.map((id) => ({ id, ...pick(this.known(id)) })),
    }));
  }

  #used(ids: readonly CommentId[], nowMs: number): void {
    if (this.#ports.recountLikes !== undefined) this.#recounts.used(ids, nowMs);
  }

  #wait(id: CommentId, isHere: boolean): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#known.set(id, { ...known, atMs: -Infinity });
    this.#underWay.delete(id);
    const waits = this.#waiting.get(id);
    if (waits !== undefined || this.#waiting.size < mostWaiting)
      this.#waiting.set(id, waits === true || isHere);
    else this.leftOut += 1;
  }

  async #countOnce(ids: readonly CommentId[]): Promise<void> {
    const others = new Set(ids.map((id) => this.#underWay.get(id)));
    const own = ids.filter((id) => !this.#underWay.has(id));
    const counting = this.#count(own);
    for (const id of own) this.#underWay.set(id, counting);
    try {
      await Promise.all([counting, ...others]);
    } finally {
      for (const id of own) if (this.#underWay.get(id) === counting) this.#underWay.delete(id);
    }
  }

  async #count(ids: readonly CommentId[]): Promise<void> {
    if (ids.length === 0) return;
    const { store } = this.#ports;
    const [likes, replies] = await Promise.all([store.likes(ids), store.replies(ids)]);
    this.#take(ids, { likes, replies });
  }

  #take(ids: readonly CommentId[], { likes, replies }: Found): void {
    for (const id of ids) this.#set(id, { likes: likes.get(id) ?? 0, replies: replies.get(id) ?? 0 });
  }

  #set(id: CommentId, tally: Tally): void {
    this.#known.delete(id);
    this.#known.set(id, { ...tally, atMs: this.#ports.clock.monotonicMs() });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** What was forgotten may have been another number. */
const isSame = (before: Tally | undefined, { likes, replies }: Tally): boolean =>
  before?.likes === likes && before.replies === replies;

const pick = ({ likes, replies }: Tally): Tally => ({ likes, replies });
