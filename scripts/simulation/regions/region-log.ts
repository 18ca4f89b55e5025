/** A region's index log of one stream, as the simulator of regions keeps it: compare-and-set, purges, and backups that come back. */
import { IndexRecord, type IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';

interface Copy {
  readonly entries: readonly IndexEntry[];
  readonly sequence: number;
}

export class RegionLog {
  readonly region: RegionId;
  readonly #isFenceBroken: boolean;
  readonly #onAppend: (entry: IndexEntry) => void;
  entries: IndexEntry[] = [];
  #sequence = 0;
  #backup: Copy = { entries: [], sequence: 0 };

  constructor(region: RegionId, isFenceBroken: boolean, onAppend: (entry: IndexEntry) => void) {
    this.region = region;
    this.#isFenceBroken = isFenceBroken;
    this.#onAppend = onAppend;
  }

  get tail(): IndexEntry | undefined {
    return this.entries.at(-1);
  }

  /** The place of the record before that one; 0 for none. */
  before(sequence: number): number {
    return this.entries.findLast((one) => one.sequence < sequence)?.sequence ?? 0;
  }

  /** @returns the record's place; undefined where the log's last record is another (C1) */
  append(record: IndexRecord, expectedSequence: number): number | undefined {
    if (!this.#isFenceBroken && (this.tail?.sequence ?? 0) !== expectedSequence) return undefined;
    // Other streams share the JetStream stream, so places are left out.
    this.#sequence += 1 + (this.#sequence % 3);
    // As in the product a record is JSON that the schema takes.
    const entry = { sequence: this.#sequence, record: IndexRecord.parse(JSON.parse(JSON.stringify(record))) };
    this.entries.push(entry);
    this.#onAppend(entry);
    return entry.sequence;
  }

  from(sequence: number): readonly IndexEntry[] {
    return this.entries.filter((one) => one.sequence >= sequence);
  }

  fromSnapshot(): readonly IndexEntry[] {
    const at = this.entries.findLastIndex(({ record }) => record.kind === 'snapshot');
    return this.entries.slice(Math.max(0, at));
  }

  purgeBelow(sequence: number): void {
    this.entries = this.entries.filter((one) => one.sequence >= sequence);
  }

  backUp(): void {
    this.#backup = { entries: [...this.entries], sequence: this.#sequence };
  }

  restore(): void {
    this.entries = [...this.#backup.entries];
    this.#sequence = this.#backup.sequence;
  }
}
