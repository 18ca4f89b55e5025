/**
 * Decides what the sockets of this node are told of one stream: each comment once, each change of it once, whichever way and how often it
 * came here (A7, A8).
 */
import type { StoredComment } from '../store/comment-store.ts';
import type { UserId } from '../../../cluster/model/ids.ts';
import { clockWindow } from '../ids/client-id.ts';
import type { HidingChange } from './change.ts';
import { hidingActOf, moderated, type KeptHides } from './kept-hides.ts';
import { isLater, isShown, Ring } from './ring.ts';
import { Seen } from './seen.ts';
import type { Start } from './store-reads.ts';
import type { ToldComment } from './told-comment.ts';

/** No two changes of a comment are nearer to each other. */
const leastMs = 0.001;

export class StreamComments {
  readonly ring = new Ring();
  readonly #seen = new Seen();
  readonly #hides: KeptHides;

  constructor(hides: KeptHides) {
    this.#hides = hides;
  }

  /**
   * Takes in a version of a comment.
   *
   * @param came with `changed` where it was there before, as far as is known
   * @returns what sockets are told; undefined where they have heard of it, or may not see it
   */
  take({ kind, comment: came }: ToldComment, nowMs: number): ToldComment | undefined {
    const comment = this.#hides.applied(came);
    const known = this.#seen.get(comment.id);
    if (known !== undefined && !isLater(comment, known)) return undefined;
    this.ring.put(comment);
    const wasTold = known?.isTold ?? kind === 'changed';
    const isTold = wasTold || !comment.isHeld;
    this.#seen.note(comment.id, { ...comment, isTold }, nowMs);
    if (!isTold) return undefined;
    return { kind: wasTold || !isShown(comment) ? 'changed' : 'added', comment };
  }

  /** Takes in a hide that was told without its comment. @returns what sockets are told, where the comment is here */
  hide(change: HidingChange, nowMs: number): ToldComment | undefined {
    const there = this.ring.get(change.id);
    const now = there && moderated(there, hidingActOf(change));
    if (now === undefined || now === there) return undefined;
    const comment = { ...now, changedAtMs: Math.max(change.atMs, now.changedAtMs) };
    return this.take({ kind: 'changed', comment }, nowMs);
  }

  /** Has this version of a comment not come here yet, told or not? */
  isNews(came: StoredComment): boolean {
    const known = this.#seen.get(came.id);
    return known === undefined || isLater(this.#hides.applied(came), known);
  }

  /**
   * Empties what a user wrote until then, by a clock that may be ahead of this region's. What is changed after it is later all the same.
   *
   * @returns what sockets are told
   */
  erase(user: UserId, atMs: number, nowMs: number): readonly ToldComment[] {
    return this.ring
      .by(user)
      .filter(({ isErased, createdAtMs }) => isErased !== true && createdAtMs <= atMs + clockWindow.afterMs)
      .flatMap((there) => {
        const changedAtMs = Math.max(Math.min(atMs, nowMs), there.changedAtMs + leastMs);
        const author = { ...there.author, name: '' };
        const comment = { ...there, author, text: '', isErased: true, changedAtMs };
        return this.take({ kind: 'changed', comment }, nowMs) ?? [];
      });
  }

  /** May a version that the store gave have been told and forgotten? */
  mayBeOld(comment: StoredComment): boolean {
    return this.#seen.isForgotten(comment.id, comment);
  }

  /** Of versions that may have been told and forgotten: those among which some were not. */
  untold(mayBeOld: readonly StoredComment[], nowMs: number): readonly StoredComment[] {
    return this.#seen.untold(mayBeOld, nowMs);
  }

  /** Takes in what the store gave at the start. Nobody is told, as each page is answered from the ring. */
  begin({ rows, completeFromMs, oldToMs }: Omit<Start, 'mode'>, nowMs: number): void {
    for (const comment of rows) this.take({ kind: 'added', comment }, nowMs);
    this.ring.begin(completeFromMs);
    this.#seen.begin(oldToMs);
  }
}
