/**
 * The edge of a simulated node: follows some streams with a cursor, and folds what it reads with the product's own fold.
 *
 * I4. At an edge, in one life of its process, neither epoch nor media sequence nor discontinuity sequence ever goes back
 *     (`cluster/README.md`, what must always hold). No number means one thing at one edge and another thing at another.
 */
import type { IndexEntry } from '../../cluster/contract/index-records.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { SimulatedLog } from './simulated-log.ts';

/** What an edge shows of a stream. */
export interface FoldedHead {
  readonly epoch: number;
  /** The media sequence: the oldest segment that is kept. */
  readonly firstNumber: number;
  readonly nextNumber: number;
  /** The discontinuity sequence of the newest segment. */
  readonly discontinuities: number;
  /** The hash of the newest segment. */
  readonly newest: string | undefined;
  /** How many records the fold refused. */
  readonly ignored: number;
}

export interface EdgeFold {
  take(entry: IndexEntry): FoldedHead;
}

/** What all edges of a region share. */
export interface EdgeRegion {
  readonly log: SimulatedLog;
  readonly newFold: () => EdgeFold;
  readonly violate: (what: string) => void;
  /** The hashes of what was published, by stream and number. */
  readonly published: Map<string, string>;
  /** Counts over all edges. */
  readonly counts: { folded: number; ignored: number };
}

interface Following {
  readonly fold: EdgeFold;
  cursor: number;
  head: FoldedHead | undefined;
}

/** How many records of one stream are read at once. */
const readAtOnce = 64;

export class SimulatedEdge {
  readonly #name: string;
  readonly #region: EdgeRegion;
  readonly #streams: readonly StreamId[];
  readonly #following = new Map<StreamId, Following>();
  #turn = 0;

  /** @param name for messages */
  constructor(name: string, streams: readonly StreamId[], region: EdgeRegion) {
    this.#name = name;
    this.#streams = streams;
    this.#region = region;
  }

  /** Reads on in the next of its streams. */
  read(): void {
    const stream = this.#streams[this.#turn];
    this.#turn = (this.#turn + 1) % this.#streams.length;
    if (stream === undefined) return;
    const { log, newFold } = this.#region;
    const following = this.#following.get(stream) ?? { fold: newFold(), cursor: 0, head: undefined };
    this.#following.set(stream, following);
    const entries = log.followed.get(stream)?.entries ?? [];
    const end = Math.min(entries.length, following.cursor + readAtOnce);
    for (; following.cursor < end; following.cursor += 1) {
      const entry = entries[following.cursor];
      if (entry !== undefined) this.#take(stream, following, entry);
    }
  }

  #take(stream: StreamId, following: Following, entry: IndexEntry): void {
    const { violate, counts } = this.#region;
    const before = following.head;
    const now = following.fold.take(entry);
    following.head = now;
    counts.folded += 1;
    counts.ignored += now.ignored - (before?.ignored ?? 0);
    if (now.newest !== before?.newest) this.#publish(stream, now);
    if (before === undefined) return;
    const said = wentBack(before, now);
    if (said !== undefined) violate(`I4: ${stream} at the edge of ${this.#name}: ${said}`);
  }

  #publish(stream: StreamId, { nextNumber, newest }: FoldedHead): void {
    const { published, violate } = this.#region;
    if (newest === undefined) return;
    const key = `${stream} ${nextNumber - 1}`;
    const known = published.get(key);
    if (known === undefined) published.set(key, newest);
    else if (known !== newest)
      violate(
        `I4: ${stream} at the edge of ${this.#name}: number ${nextNumber - 1} is another segment elsewhere`,
      );
  }
}

function wentBack(before: FoldedHead, now: FoldedHead): string | undefined {
  if (now.epoch < before.epoch) return `the epoch went back from ${before.epoch} to ${now.epoch}`;
  if (now.firstNumber < before.firstNumber || now.nextNumber < before.nextNumber)
    return `the media sequence went back from ${before.nextNumber} to ${now.nextNumber}`;
  if (now.discontinuities < before.discontinuities)
    return `the discontinuity sequence went back from ${before.discontinuities} to ${now.discontinuities}`;
  return undefined;
}
