/**
 * The comments that the page has, in order (createdAt, id), with the viewer's own ones in their place from the moment they are sent.
 * Bound: 10,000; the oldest go, and are read again when somebody scrolls up. Who reads further up keeps 20,000.
 */
import { compareComments, type PageComment, type Person, type Place } from './comment.ts';
import { idOf, type OwnComment } from './own-comment.ts';

export const mostComments = 10_000;
export const mostWhileReading = 20_000;
/** So many go at once, so that not every new comment makes one go. */
const spared = 500;

/** What one line of the panel shows. */
export interface Row {
  /** Stays the same while a comment of one's own gets its id. */
  readonly key: string;
  readonly comment: PageComment;
  readonly own: OwnComment | undefined;
  /** How many answers are known below it. */
  readonly replies: number;
  readonly isUnfolded: boolean;
  readonly depth: number;
}

export class CommentList {
  readonly #byId = new Map<string, PageComment>();
  /** In order. */
  #order: PageComment[] = [];
  /** By client id, in the order of writing. */
  readonly #own = new Map<string, OwnComment>();
  readonly #ownById = new Map<string, string>();
  readonly #unfolded = new Set<string>();
  /** From this one on nothing is missing; what is older came singly: one's own, or one that was late. */
  #from: PageComment | undefined;
  /** Is there more before the oldest one? */
  hasOlder = true;

  get size(): number {
    return this.#order.length;
  }

  /** What is older than this one is to be read. */
  get oldest(): PageComment | undefined {
    return this.#from ?? this.#order[0];
  }

  get newest(): PageComment | undefined {
    return this.#order.at(-1);
  }

  get(id: string): PageComment | undefined {
    return this.#byId.get(id);
  }

  /** @returns whether it was new to the page */
  add(comment: PageComment): boolean {
    const known = this.#byId.get(comment.id);
    if (known !== undefined) {
      this.update(comment);
      return false;
    }
    this.#byId.set(comment.id, comment);
    const last = this.#order.at(-1);
    if (last === undefined || compareComments(last, comment) < 0) this.#order.push(comment);
    else this.#order.splice(this.#placeOf(comment), 0, comment);
    return true;
  }

  /** What the page does not show is not added by a change of it. */
  update(comment: PageComment): void {
    const known = this.#byId.get(comment.id);
    if (known === undefined) return;
    const place = this.#placeOf(known);
    // A frame to everybody says nothing about this viewer, and not what was said where it is hidden.
    const next = {
      ...comment,
      text: comment.text === '' ? known.text : comment.text,
      isLikedByMe: comment.isLikedByMe ?? known.isLikedByMe,
      replies: Math.max(comment.replies, known.replies),
    };
    this.#byId.set(comment.id, next);
    this.#order[place] = next;
  }

  change(id: string, with_: (comment: PageComment) => PageComment): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    const place = this.#placeOf(known);
    const next = with_(known);
    this.#byId.set(id, next);
    this.#order[place] = next;
  }

  /** A page of older ones, which ends where the oldest one begins. */
  addOlder(items: readonly PageComment[], hasOlder: boolean): void {
    for (const item of items.toSorted((left, right) => compareComments(right, left))) this.add(item);
    this.reaches(items);
    this.hasOlder = hasOlder;
  }

  /** Nothing is missing from the oldest of these on. */
  reaches(items: readonly PageComment[]): void {
    for (const item of items) this.#from = olderOf(this.#from, item);
  }

  /**
   * The newest page, after a time without news. Where it does not reach what the page had before, all that is older goes, as nobody knows
   * what lies between.
   *
   * @param before where the gap begins: what came since says nothing about what is missing
   */
  join(items: readonly PageComment[], hasOlder: boolean, before: Place | undefined = this.newest): void {
    const first = items.toSorted(compareComments)[0];
    const isJoined = first === undefined || before === undefined || compareComments(first, before) <= 0;
    const isCut = !isJoined && hasOlder;
    if (isCut) this.#cutBefore(first);
    const isNew = isCut || this.size === 0;
    for (const item of items) this.add(item);
    this.reaches(items);
    if (isNew) this.hasOlder = hasOlder;
  }

  /** @returns how many went */
  trim(most = mostComments): number {
    if (this.#order.length <= most) return 0;
    const gone = this.#order.splice(0, this.#order.length - most + spared);
    for (const { id } of gone) this.#byId.delete(id);
    const first = this.#order[0];
    if (this.#from !== undefined && !this.#byId.has(this.#from.id)) this.#from = first;
    this.hasOlder = true;
    return gone.length;
  }

  setOwn(own: OwnComment, me: Person): void {
    this.#own.set(own.draft.clientId, own);
    const id = idOf(own);
    if (id === undefined) return;
    this.#ownById.set(id, own.draft.clientId);
    if (!this.#byId.has(id)) this.add(this.#shownAs(own, me, id));
  }

  dropOwn(clientId: string): void {
    this.#own.delete(clientId);
  }

  ownOf(id: string): OwnComment | undefined {
    return this.#own.get(this.#ownById.get(id) ?? '');
  }

  get owns(): readonly OwnComment[] {
    return [...this.#own.values()];
  }

  isUnfolded(id: string): boolean {
    return this.#unfolded.has(id);
  }

  fold(id: string, isUnfolded: boolean): void {
    if (isUnfolded) this.#unfolded.add(id);
    else this.#unfolded.delete(id);
  }

  /** What is shown, from the oldest to the newest. Answers hang below their comment, and are shown where it is unfolded. */
  rows({
    me,
    seesHidden,
  }: {
    readonly me: Person | undefined;
    readonly seesHidden: boolean;
  }): readonly Row[] {
    const pending = me === undefined ? [] : this.#pending(me);
    // What waits for a moderator is with its author, and with who was a moderator when it came.
    const isUnseen = ({ isHidden, isHeld, author }: PageComment): boolean =>
      !seesHidden && (isHidden || (isHeld && author.id !== me?.id));
    const shown = this.#order.filter((comment) => !isUnseen(comment));
    const threads = threadsOf([...shown, ...pending.map(({ comment }) => comment)]);
    const waiting = new Map(pending.map((row) => [row.key, row]));
    const rows: Row[] = [];
    for (const comment of this.#order) {
      const isVeiled = isUnseen(comment);
      // Its answers may be there without having been read.
      if (isVeiled && comment.replies === 0 && !threads.has(comment.id)) continue;
      if (comment.rootId !== undefined && this.#byId.has(comment.rootId)) continue;
      const replies = threads.get(comment.id) ?? [];
      const row = this.#row(comment, replies.length, 0);
      rows.push(isVeiled ? veiled(row) : row);
      if (!this.#unfolded.has(comment.id)) continue;
      for (const reply of replies)
        rows.push({ ...(waiting.get(reply.id) ?? this.#row(reply, 0, 1)), depth: 1 });
    }
    return [...rows, ...pending.filter(({ comment }) => comment.rootId === undefined)];
  }

  /** The comment that the thread of this one begins with; undefined where the page does not have it. */
  rootOf(id: string | undefined): string | undefined {
    const comment = id === undefined ? undefined : this.#byId.get(id);
    const rootId = comment?.rootId ?? comment?.id;
    return rootId !== undefined && this.#byId.has(rootId) ? rootId : undefined;
  }

  #pending(me: Person): readonly Row[] {
    return this.owns
      .filter((own) => idOf(own) === undefined)
      .map((own) => ({
        key: own.draft.clientId,
        comment: this.#shownAs(own, me, own.draft.clientId),
        own,
        replies: 0,
        isUnfolded: false,
        depth: 0,
      }));
  }

  /** A comment of one's own before the server has shown it. */
  #shownAs(own: OwnComment, me: Person, id: string): PageComment {
    return { ...shownAs(own, me, id), rootId: this.rootOf(own.draft.parentId) };
  }

  #row(comment: PageComment, known: number, depth: number): Row {
    const clientId = this.#ownById.get(comment.id);
    return {
      key: clientId ?? comment.id,
      comment,
      own: clientId === undefined ? undefined : this.#own.get(clientId),
      replies: Math.max(known, comment.replies),
      isUnfolded: this.#unfolded.has(comment.id),
      depth,
    };
  }

  #cutBefore(first: PageComment): void {
    for (const { id } of this.#order.splice(0, this.#placeOf(first))) this.#byId.delete(id);
    this.#from = undefined;
  }

  /** Where the comment is, or belongs. */
  #placeOf(comment: PageComment): number {
    let from = 0;
    let to = this.#order.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const there = this.#order[middle];
      if (there !== undefined && compareComments(there, comment) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** What is hidden keeps its place for its answers, and says nothing. */
const veiled = (row: Row): Row => ({
  ...row,
  own: undefined,
  comment: {
    ...row.comment,
    author: { id: '', name: '', isStaff: false },
    text: '',
    likes: 0,
    isHidden: true,
    isHeld: false,
  },
});

/** @returns the one that comes first */
export const olderOf = <T extends Place>(left: T | undefined, right: T): T =>
  left === undefined || compareComments(right, left) < 0 ? right : left;

/** The answers of each comment that a thread begins with, in order. */
function threadsOf(comments: readonly PageComment[]): ReadonlyMap<string, readonly PageComment[]> {
  const threads = new Map<string, PageComment[]>();
  for (const comment of comments) {
    if (comment.rootId === undefined) continue;
    const thread = threads.get(comment.rootId);
    if (thread === undefined) threads.set(comment.rootId, [comment]);
    else thread.push(comment);
  }
  return threads;
}

function shownAs({ draft }: OwnComment, me: Person, id: string): PageComment {
  return {
    id,
    author: { id: me.id, name: me.name, isStaff: false },
    text: draft.text,
    createdAtMs: draft.createdAtMs,
    parentId: draft.parentId,
    rootId: undefined,
    depth: 0,
    replies: 0,
    likes: 0,
    isLikedByMe: undefined,
    isHidden: false,
    isHeld: false,
    reports: 0,
    isReplicated: false,
  };
}
