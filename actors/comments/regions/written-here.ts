/**
 * Tells other regions that share the database which comments this node has just written, 20 times a second (A7). It is a hint: they read each second in
 * any case. Bound: 100 comments of a stream at a time, of 2,000 streams; the others are found by that read.
 */
import { commentsWritten, mostWritten } from '../../../cluster/contract/regions/written.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Change } from '../feed/change.ts';

export const tellEveryMs = 50;
const mostStreams = 2000;

export class WrittenHere {
  readonly #regions: Pick<OtherRegions, 'publish'>;
  readonly #written = new Map<StreamId, Map<CommentId, number>>();

  constructor(regions: Pick<OtherRegions, 'publish'>) {
    this.#regions = regions;
  }

  note(change: Change): void {
    if (change.kind !== 'added' && change.kind !== 'changed') return;
    const { id, streamId, changedAtMs } = change.comment;
    const ofStream = this.#written.get(streamId) ?? new Map<CommentId, number>();
    if (ofStream.size >= mostWritten || (ofStream.size === 0 && this.#written.size >= mostStreams)) return;
    ofStream.set(id, Math.max(changedAtMs, ofStream.get(id) ?? 0));
    this.#written.set(streamId, ofStream);
  }

  tell(): void {
    for (const [stream, written] of this.#written) {
      const comments = Array.from(written, ([id, changedAtMs]) => ({ id, changedAtMs }));
      this.#regions.publish(commentsWritten, { comments }, stream);
    }
    this.#written.clear();
  }
}
