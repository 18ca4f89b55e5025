/** What an owner tells other regions of its log: each record once it is acknowledged, and the head twice a second (R4). */
import type { IndexEntry } from '../../cluster/contract/index-records.ts';
import { headTold, recordPublished } from '../../cluster/contract/regions/log.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { OtherRegions } from '../../cluster/region/other-regions.ts';

export type Telling = Pick<OtherRegions, 'regions' | 'publish'>;

export const headEveryMs = 500;

export class ToldRegions {
  readonly #others: Telling;
  readonly #stream: StreamId;
  #last: IndexEntry | undefined;

  /** @param last the log's last record: the owner's `open` */
  constructor(others: Telling, stream: StreamId, last: IndexEntry | undefined) {
    this.#others = others;
    this.#stream = stream;
    this.#last = last;
  }

  /** A record is in the log. @param previous the sequence of the record before it */
  appended(entry: IndexEntry, previous: number): void {
    this.#last = entry;
    if (this.#others.regions.length > 0)
      this.#others.publish(recordPublished, { ...entry, previous }, this.#stream);
  }

  /** Tells the head, if it is the record that this owner takes for the last one: after a lost answer it may not be. */
  tellHead(lastSequence: number): void {
    const last = this.#last;
    if (last?.sequence !== lastSequence || this.#others.regions.length === 0) return;
    const { recordId, epoch } = last.record;
    this.#others.publish(headTold, { sequence: lastSequence, recordId, epoch }, this.#stream);
  }
}
