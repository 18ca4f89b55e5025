/**
 * How many like each comment, and how many answers are below it (A4).
 *
 * The database counts; here the numbers are remembered for a moment, so that a crowd that reads the same page costs one count. What was liked
 * or answered here is counted anew within a second, and told to all nodes: numbers, not differences, so that one that is lost does no harm.
 * What nobody here changed may have changed all the same, in another data centre: what is read is counted in turn (recounts.ts), and told
 * where it is another number.
 * Bounds: numbers of 20,000 comments, of which those asked for least lately go; 5,000 comments that wait to be counted, and 20,000 that changed in
 * another region, above which the next reader counts them; `leftOut` counts those. In each turn what changed here comes first, and the others have
 * a fifth of it in any case.
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

/** What was counted in turn. */
export interface RecountedRead {
  /** Those whose numbers were others than known. */
  readonly found: readonly Counted[];
  /** Why the others could not be counted now. */
  readonly failures: readonly unknown[];
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
/** A link that heals brings many at once: as many as have numbers here. */
const mostWaitingElsewhere = mostKnown;
/** Counted in one turn. */
const mostAtOnce = 500;
const leastOfElsewhere = 100;

export class Counts {
  readonly #ports: CountPorts;
  readonly #known = new Map<CommentId, Known>();
  /** What changed in this region. */
  readonly #waiting = new Set<CommentId>();
  /** What changed in another one alone. */
  readonly #waitingElsewhere = new Set<CommentId>();
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
   * Counts what has changed, by stream. To be called each half second. What the store does not count now waits for the next time.
   *
   * @throws TangazaError as the store throws it
   */
  async recount(): Promise<readonly Recounted[]> {
    const turn = this.#nextTurn();
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

  /** Counts in turn what is read, where the store keeps counts. To be called each half second. Each is counted by itself: one that fails stops no other. */
  async recountRead(): Promise<RecountedRead> {
    const { recountLikes, clock } = this.#ports;
    if (recountLikes === undefined) return { found: [], failures: [] };
    const others: CommentId[] = [];
    const failures: unknown[] = [];
    const recount = async (id: CommentId): Promise<void> => {
      try {
        if (await this.#recount(id, recountLikes)) others.push(id);
      } catch (error) {
        failures.push(error);
        this.#recounts.failed(id, clock.monotonicMs());
      }
    };
    const due = this.#recounts.due(clock.monotonicMs(), (id) => this.known(id).likes > 0);
    await Promise.all(due.map(recount));
    const byStream = Map.groupBy(others, (id) => placeOfComment(id).streamId);
    const found = [...byStream].map(([streamId, ids]) => ({
      streamId,
      counts: ids.map((id) => ({ id, ...pick(this.known(id)) })),
    }));
    return { found, failures };
  }

  /** @returns whether it has another number than before */
  async #recount(id: CommentId, recountLikes: LikeStore['likes']): Promise<boolean> {
    const { store, clock } = this.#ports;
    const before = this.#known.get(id);
    const [likes, replies] = await Promise.all([recountLikes([id]), store.replies([id])]);
    this.#take([id], { likes, replies }, anyway);
    this.#recounts.counted(id, likes.get(id) ?? 0, clock.monotonicMs());
    return !isSame(before, this.known(id));
  }

  #used(ids: readonly CommentId[], nowMs: number): void {
    if (this.#ports.recountLikes !== undefined) this.#recounts.used(ids, nowMs);
  }

  #wait(id: CommentId, isHere: boolean): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#known.set(id, { ...known, atMs: -Infinity });
    this.#underWay.delete(id);
    if (this.#waiting.has(id)) return;
    const [waiting, most] = isHere
      ? [this.#waiting, mostWaiting]
      : [this.#waitingElsewhere, mostWaitingElsewhere];
    if (waiting.has(id)) return;
    if (waiting.size >= most) this.leftOut += 1;
    else waiting.add(id);
    if (this.#waiting.has(id)) this.#waitingElsewhere.delete(id);
  }

  /** @returns those to count now, which wait no more, with whether they changed in this region */
  #nextTurn(): ReadonlyMap<CommentId, boolean> {
    const forOthers = Math.min(this.#waitingElsewhere.size, leastOfElsewhere);
    const here = take(this.#waiting, mostAtOnce - forOthers);
    const elsewhere = take(this.#waitingElsewhere, mostAtOnce - here.length);
    return new Map([
      ...here.map((id) => [id, true] as const),
      ...elsewhere.map((id) => [id, false] as const),
    ]);
  }

  async #countOnce(ids: readonly CommentId[]): Promise<void> {
    const others = new Set(ids.map((id) => this.#underWay.get(id)));
    const own = ids.filter((id) => !this.#underWay.has(id));
    const counting: Promise<void> = this.#count(own, (id) => this.#underWay.get(id) === counting);
    for (const id of own) this.#underWay.set(id, counting);
    try {
      await Promise.all([counting, ...others]);
    } finally {
      for (const id of own) if (this.#underWay.get(id) === counting) this.#underWay.delete(id);
    }
  }

  /** @param isStill whether it has not changed since; asked when the count is there */
  async #count(ids: readonly CommentId[], isStill = anyway): Promise<void> {
    if (ids.length === 0) return;
    const { store } = this.#ports;
    const [likes, replies] = await Promise.all([store.likes(ids), store.replies(ids)]);
    this.#take(ids, { likes, replies }, isStill);
  }

  /** What has changed since it began, and has no number yet, gets this one until it is counted again. */
  #take(ids: readonly CommentId[], { likes, replies }: Found, isStill: (id: CommentId) => boolean): void {
    for (const id of ids) {
      const tally = { likes: likes.get(id) ?? 0, replies: replies.get(id) ?? 0 };
      if (isStill(id)) this.#set(id, tally);
      else if (!this.#known.has(id)) this.#set(id, tally, -Infinity);
    }
  }

  #set(id: CommentId, tally: Tally, atMs = this.#ports.clock.monotonicMs()): void {
    this.#known.delete(id);
    this.#known.set(id, { ...tally, atMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Takes those out that came first. */
function take(waiting: Set<CommentId>, most: number): readonly CommentId[] {
  const first = [...waiting.values().take(most)];
  for (const id of first) waiting.delete(id);
  return first;
}

/** What was forgotten may have been another number. */
const isSame = (before: Tally | undefined, { likes, replies }: Tally): boolean =>
  before?.likes === likes && before.replies === replies;

const anyway = (_id: CommentId): boolean => true;

const pick = ({ likes, replies }: Tally): Tally => ({ likes, replies });
