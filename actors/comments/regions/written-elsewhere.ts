/**
 * Looks at once for the comments of a stream that another region says it has just written into the database that all share (A7). What is told is what the
 * own data centre has: a page that was told of a comment finds it there. So one that has not arrived yet is looked for a few times more, and then left to
 * the read of each second. Bound: 300 comments that wait; the others are found by that read.
 */
import type { Gate } from '../../../cluster/bounds/gate.ts';
import { commentsWritten, type Written } from '../../../cluster/contract/regions/written.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import type { CommentStore, StoredComment } from '../store/comment-store.ts';

export interface WrittenElsewherePorts {
  readonly regions: Pick<OtherRegions, 'regions' | 'listen'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly store: Pick<CommentStore, 'get'>;
  /** Bounds the reads. */
  readonly background: Gate;
  /** False where another node of this region reads for all. */
  readonly isToRead: () => boolean;
  readonly onRead: (rows: readonly StoredComment[]) => void;
}

const pausesMs: readonly number[] = [0, 50, 150, 400];
const mostWaiting = 300;

export class WrittenElsewhere {
  readonly #stream: StreamId;
  readonly #ports: WrittenElsewherePorts;
  /** With the time of the change that is looked for. */
  readonly #waiting = new Map<CommentId, number>();
  readonly #stops: readonly (() => void)[];
  #isReading = false;

  constructor(stream: StreamId, ports: WrittenElsewherePorts) {
    this.#stream = stream;
    this.#ports = ports;
    this.#stops = ports.regions.regions.map((region) =>
      ports.regions.listen(region, commentsWritten, ({ comments }) => this.#heard(comments), stream),
    );
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #heard(comments: readonly Written[]): void {
    if (!this.#ports.isToRead()) return;
    for (const { id, changedAtMs } of comments)
      if (this.#waiting.size < mostWaiting && placeOfComment(id).streamId === this.#stream)
        this.#waiting.set(id, changedAtMs);
    void this.#readAll();
  }

  async #readAll(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#waiting.size > 0) {
      const wanted = new Map(this.#waiting);
      this.#waiting.clear();
      await this.#read(wanted);
    }
    this.#isReading = false;
  }

  async #read(wanted: Map<CommentId, number>): Promise<void> {
    const { clock, store, background, onRead } = this.#ports;
    for (const pauseMs of pausesMs) {
      if (pauseMs > 0) await clock.sleep(pauseMs);
      const ids = [...wanted.keys()];
      const read = () => Promise.all(ids.map((id) => store.get(id)));
      const rows = await background.run(read).catch(() => []);
      const arrived = rows.filter((row) => row !== undefined && row.changedAtMs >= (wanted.get(row.id) ?? 0));
      const there = arrived.flatMap((row) => row ?? []);
      for (const { id } of there) wanted.delete(id);
      if (there.length > 0) onRead(there);
      if (wanted.size === 0) return;
    }
  }
}
