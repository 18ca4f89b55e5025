/** Follows an index log from outside, for `bench failover`, and notes when it heard of each record. */
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { findingsOf, type LogFindings } from '../../../test/support/ports/log-findings.ts';

export interface SeenEntry {
  readonly entry: IndexEntry;
  /** When the benchmark heard of it: after the acknowledgement and one way through NATS. */
  readonly atMs: number;
}

/** Follows the log of one stream until it is disposed of. */
export class LogWatch implements AsyncDisposable {
  readonly stream: StreamId;
  readonly seen: SeenEntry[] = [];
  timeline: FoldedTimeline = emptyTimeline();
  readonly #ending = new AbortController();
  readonly #loop: Promise<void>;
  #failure: Error | undefined;

  constructor(log: IndexLog, stream: StreamId) {
    this.stream = stream;
    this.#loop = this.#follow(log).catch((cause: unknown) => {
      this.#failure = new Error(`the log of ${stream} is no longer followed`, { cause });
    });
  }

  /** The node that the last `open` names. */
  get owner(): string | undefined {
    return this.seen.findLast(({ entry }) => entry.record.kind === 'open')?.entry.record.node;
  }

  /** @throws the error that ended the following, as the number does not grow any more then */
  get nextNumber(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.timeline.nextNumber;
  }

  openSince(index: number): SeenEntry | undefined {
    return this.seen.slice(index).find(({ entry }) => entry.record.kind === 'open');
  }

  findingsSince(index: number): LogFindings {
    return findingsOf(
      this.seen.map(({ entry }) => entry),
      index,
    );
  }

  /** The commits since then: how long after the end of its media, on the encoder's clock, the benchmark heard of each. */
  commitDelays(index: number): readonly { readonly atMs: number; readonly behindMs: number }[] {
    return this.seen.slice(index).flatMap(({ entry: { record }, atMs }) => {
      if (record.kind !== 'commit') return [];
      return [{ atMs, behindMs: atMs - (record.start90k + record.duration90k) / 90 }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#loop;
  }

  async #follow(log: IndexLog): Promise<void> {
    for await (const entry of log.follow(this.stream, 1, this.#ending.signal)) {
      if (!('record' in entry)) continue;
      this.seen.push({ entry, atMs: performance.now() });
      this.timeline = applyEntry(this.timeline, entry);
    }
  }
}
