/** The port by which a data centre is asked what it has, by itself: what another one would answer in its place is no evidence (A6). */
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';

/** Comments of a stream that were written within some seconds of one minute. Both ends are in it. */
export interface Stretch {
  readonly dataCentre: string;
  readonly streamId: StreamId;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ReplicaReads {
  readonly dataCentres: readonly string[];
  /**
   * Those of the stretch that a quorum of the data centre has, and that its pages find.
   *
   * @throws TangazaError `UNAVAILABLE`, `OVERLOADED`
   */
  there(stretch: Stretch): Promise<ReadonlySet<CommentId>>;
}
