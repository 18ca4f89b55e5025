/** The audience's database as its contract is tested: two openings of one, and streams that no other test has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { AudienceStore } from '../../../../actors/comments/store/audience-store.ts';
import { openSqliteCommentStore } from '../../../../actors/comments/store/comment-store.sqlite.ts';
import type { CommentBody, StoredComment } from '../../../../actors/comments/store/comment-store.ts';
import { StreamId, UserId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../../cluster/time/clock.system.ts';
import { commentBody, type BodyShape } from './comment-bodies.ts';

export interface Subject extends AsyncDisposable {
  /** Two openings of one database, as two nodes have them. */
  readonly stores: readonly [AudienceStore, AudienceStore];
  /** A third one. */
  open(): Promise<AudienceStore>;
}

export type StartSubject = () => Promise<Subject>;

export async function sqliteSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-comments-'));
  const file = join(folder, 'comments.sqlite');
  const options = { file, clock: systemClock, metrics: noMetrics, logger: silentLogger };
  const open = () => openSqliteCommentStore(options);
  const stores = [await open(), await open()] as const;
  return {
    stores,
    open,
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const ada = UserId.parse('g-ada');
export const ben = UserId.parse('a-ben');

export const idsOf = (comments: readonly { readonly id: string }[]): readonly string[] =>
  comments.map(({ id }) => id);

/** Of all tests of this process, so that none sees what another wrote. */
let streams = 0;

/** What each test of a contract has. To be made within its `describe`. */
export class AudienceRig {
  readonly nowMs = Date.now();
  #subject: Subject | undefined;
  #stream: StreamId | undefined;

  constructor(start: StartSubject) {
    beforeAll(async () => {
      this.#subject = await start();
    });
    afterAll(() => this.#subject?.[Symbol.asyncDispose]());
    beforeEach(() => {
      streams += 1;
      this.#stream = StreamId.parse(`stream-${streams}-${this.nowMs.toString(36)}`);
    });
  }

  get subject(): Subject {
    if (this.#subject === undefined) throw new Error('the subject is there once its tests run');
    return this.#subject;
  }

  get store(): AudienceStore {
    return this.subject.stores[0];
  }

  get other(): AudienceStore {
    return this.subject.stores[1];
  }

  get stream(): StreamId {
    if (this.#stream === undefined) throw new Error('a test has a stream once it runs');
    return this.#stream;
  }

  body(shape: BodyShape = {}): CommentBody {
    return commentBody({ stream: this.stream, atMs: this.nowMs, ...shape });
  }

  async add(comment: CommentBody, atMs = this.nowMs, into = this.store): Promise<StoredComment> {
    return (await into.add(comment, { isHeld: false, nowMs: atMs })).comment;
  }
}
