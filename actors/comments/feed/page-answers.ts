/**
 * Answers the pages that come to a stream, or come back: by the ring where it reaches back so far, else by the store (A8). One read of the
 * store serves all pages that left at about the same time, as they do when their edge dies.
 */
import type { Gate } from '../../../cluster/bounds/gate.ts';
import type { LeftOff } from '../../../cluster/contract/audience/audience-feed.ts';
import type { Resume } from '../../../cluster/contract/audience/socket-messages.ts';
import type { CommentId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { StoredComment } from '../store/comment-store.ts';
import type { KeptHides } from './kept-hides.ts';
import { answerOf, backMs, firstComments, resumeFromMs, type Answer } from './resume.ts';
import { isLater, isShown, ringSize, type Ring } from './ring.ts';
import { readSince, type ReadableStore } from './store-reads.ts';

export interface PageAnswersPorts {
  readonly stream: StreamId;
  readonly region: RegionId;
  readonly clock: Clock;
  readonly store: ReadableStore;
  readonly ring: Ring;
  readonly hides: KeptHides;
  /** Bounds the reads, of all streams. */
  readonly gate: Gate;
  /** Called when the ring lacks a comment that it should have. */
  readonly onLack: () => void;
  /** Called with what the store gave: there may be something that nobody has told. */
  readonly onRead: (rows: readonly StoredComment[], fromMs: number) => void;
}

interface Read extends Awaited<ReturnType<typeof readSince>> {
  /** How many comments had left the ring when the read began: the store had those. */
  readonly leftBefore: number;
}

/** The most that is read for a page. */
const mostRows = 1000;
/** Who was away for longer, and lacks more than the ring has, reads by HTTP what it wants of it. */
const longestAwayMs = 600_000;
/** For how long a read serves other pages. */
const sharedMs = 1000;

export class PageAnswers {
  readonly #ports: PageAnswersPorts;
  #shared: { readonly fromMs: number; readonly atMs: number; readonly read: Promise<Read> } | undefined;

  constructor(ports: PageAnswersPorts) {
    this.#ports = ports;
  }

  /** The next page is answered by a read of its own. */
  forget(): void {
    this.#shared = undefined;
  }

  async answer(left: LeftOff): Promise<Answer> {
    const { ring, clock, region } = this.#ports;
    const { lastId } = left;
    const lastAtMs = left.inRegion?.region === region ? left.inRegion.toMs : left.lastAtMs;
    if (lastId === undefined && lastAtMs === undefined)
      return {
        resume: 'complete',
        told: ring.newest(ringSize).filter(isShown).slice(-firstComments).map(added),
      };
    const last = lastId === undefined ? undefined : await this.#lookUp(lastId);
    const nowMs = clock.utcMs();
    const leftAtMs = lastAtMs ?? (last === 'unknown' ? undefined : last?.arrivedAtMs) ?? nowMs;
    const answer = await this.#everythingSince(resumeFromMs(leftAtMs, nowMs), last !== 'unknown');
    return lastId !== undefined && last === undefined
      ? { ...answer, resume: { behind: { region }, ...gapIn(answer) } }
      : answer;
  }

  /** The newest comment that the page has. `unknown`: the store does not answer. */
  async #lookUp(id: CommentId): Promise<StoredComment | 'unknown' | undefined> {
    const { ring, store, gate, onLack } = this.#ports;
    const here = ring.get(id);
    if (here !== undefined) return here;
    try {
      // The ring may have it by the time that it is this page's turn.
      const row = await gate.run(async () => ring.get(id) ?? (await store.get(id)));
      const isLacking = row !== undefined && row.changedAtMs >= ring.completeFromMs;
      if (isLacking && ring.get(id) === undefined) onLack();
      return row;
    } catch {
      return 'unknown';
    }
  }

  /** @param isPlaceKnown false where the page's place could not be looked up: then there may be more */
  async #everythingSince(fromMs: number, isPlaceKnown: boolean): Promise<Answer> {
    const { ring, hides, clock } = this.#ports;
    if (ring.completeFromMs <= fromMs) return answerOf(ring.since(fromMs), fromMs, isPlaceKnown);
    if (fromMs < clock.utcMs() - longestAwayMs) return answerOf(ring.since(fromMs), fromMs, false);
    try {
      const { rows, isAll, leftBefore } = await this.#read(fromMs);
      // What was told after the read began is in the ring, or has left it since then.
      const left = ring.leftSince(leftBefore);
      const known = [...rows, ...(left ?? [])].map((row) => hides.applied(row));
      const latest = latestOf([...known, ...ring.since(fromMs)]);
      const since = latest.filter((row) => row.changedAtMs >= fromMs);
      return answerOf(since, fromMs, isAll && left !== undefined && isPlaceKnown);
    } catch {
      return answerOf(ring.since(fromMs), fromMs, false);
    }
  }

  #read(fromMs: number): Promise<Read> {
    const { clock, gate, store, stream, ring, onRead } = this.#ports;
    const nowMs = clock.runningMs();
    const shared = this.#shared;
    if (shared !== undefined && shared.fromMs <= fromMs && nowMs - shared.atMs < sharedMs) return shared.read;
    const readFromMs = fromMs - backMs;
    const read = gate.run(async () => {
      const leftBefore = ring.leftCount;
      return { leftBefore, ...(await readSince(store, stream, { fromMs: readFromMs, mostRows })) };
    });
    this.#shared = { fromMs: readFromMs, atMs: nowMs, read };
    read.then(
      ({ rows }) => onRead(rows, readFromMs),
      () => {
        if (this.#shared?.read === read) this.#shared = undefined;
      },
    );
    return read;
  }
}

/** Where the page lacks some of it besides. */
const gapIn = ({ resume }: Answer): Pick<Exclude<Resume, string>, 'gap'> =>
  resume === 'complete' || resume.gap === undefined ? {} : { gap: resume.gap };

const added = (comment: StoredComment) => ({ kind: 'added', comment }) as const;

/** The latest version of each comment. */
function latestOf(rows: readonly StoredComment[]): readonly StoredComment[] {
  const latest = new Map<CommentId, StoredComment>();
  for (const row of rows) {
    const there = latest.get(row.id);
    if (there === undefined || !isLater(there, row)) latest.set(row.id, row);
  }
  return [...latest.values()];
}
