/**
 * Remembers which changes of a stream this opening has told of. Several nodes write, and a write becomes readable some milliseconds after
 * the time that it bears, or some seconds when it comes from another region (hints took 9 to 19 s, tried). So whoever reads on from a time
 * would miss what appears behind it. Each read looks back, and tells of what it has not told before.
 */
import type { CommentId, StreamId } from '../../../../cluster/model/ids.ts';
import type { StoredComment } from '../comment-store.ts';

export const lookBackMs = 30_000;
/**
 * With more streams, or more changes of one, the oldest are forgotten, and told once more, or for streams not at all. A node follows up to
 * 2,000 streams, and reads them in turn: with a lower bound each read would push out the stream that is read next.
 */
const mostStreams = 5000;
const mostChanges = 20_000;

export class SeenChanges {
  readonly #streams = new Map<StreamId, Map<CommentId, number>>();

  /**
   * Chooses what to tell of.
   *
   * @param read what has changed since `sinceMs - lookBackMs`, in order of change
   * @returns what has changed since `sinceMs`, and before that what is new here: in order of change, at most `limit`
   */
  choose(
    stream: StreamId,
    read: readonly StoredComment[],
    { sinceMs, limit }: { readonly sinceMs: number; readonly limit: number },
  ): readonly StoredComment[] {
    const isFirst = !this.#streams.has(stream);
    const told = this.#toldOf(stream);
    const isKnown = ({ id, changedAtMs }: StoredComment): boolean => (told.get(id) ?? -1) >= changedAtMs;
    // Who asks for the first time wants nothing from before.
    if (isFirst) for (const one of read) if (one.changedAtMs < sinceMs) told.set(one.id, one.changedAtMs);
    const chosen = read.filter((one) => one.changedAtMs >= sinceMs || !isKnown(one)).slice(0, limit);
    for (const { id, changedAtMs } of chosen) {
      told.delete(id); // the latest one last
      told.set(id, changedAtMs);
    }
    for (const id of told.keys()) {
      if (told.size <= mostChanges) break;
      told.delete(id);
    }
    return chosen;
  }

  #toldOf(stream: StreamId): Map<CommentId, number> {
    const told = this.#streams.get(stream) ?? new Map<CommentId, number>();
    this.#streams.delete(stream);
    this.#streams.set(stream, told);
    const [oldest] = this.#streams.keys();
    if (this.#streams.size > mostStreams && oldest !== undefined) this.#streams.delete(oldest);
    return told;
  }
}
