/** Data centres in memory: each has what a test has put there, and answers while it is not cut off. */
import type { ReplicaReads, Stretch } from '../../../actors/comments/replication/replica-reads.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId } from '../../../cluster/model/ids.ts';

type Row = Pick<CommentBody, 'id' | 'streamId' | 'createdAtMs'>;

export class MemoryReplicas implements ReplicaReads {
  readonly dataCentres: readonly string[];
  readonly asked: Stretch[] = [];
  /** What a read waits for before it answers. */
  beforeAnswer: (stretch: Stretch) => Promise<void> = () => Promise.resolve();
  readonly cut = new Set<string>();
  readonly #rows = new Map<string, Row[]>();

  constructor(...dataCentres: readonly string[]) {
    this.dataCentres = dataCentres;
  }

  put(dataCentre: string, ...rows: readonly Row[]): void {
    this.#rows.set(dataCentre, [...(this.#rows.get(dataCentre) ?? []), ...rows]);
  }

  async there(stretch: Stretch): Promise<ReadonlySet<CommentId>> {
    const { dataCentre, streamId, fromMs, toMs } = stretch;
    this.asked.push(stretch);
    await this.beforeAnswer(stretch);
    if (this.cut.has(dataCentre)) throw new TangazaError('UNAVAILABLE');
    const isIn = (row: Row): boolean =>
      row.streamId === streamId && row.createdAtMs >= fromMs && row.createdAtMs <= toMs;
    return new Set((this.#rows.get(dataCentre) ?? []).filter(isIn).map(({ id }) => id));
  }
}
