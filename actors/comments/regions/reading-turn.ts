/**
 * Decides which node of a region reads, each second, what other regions have written into the same database (A7). The one that reads tells
 * the others what it found, and then up to when it has read. Nobody is appointed: each node that keeps up with a stream reads it, until it
 * may rely on another one.
 *
 * - T1. It relies on nobody but a node that is ahead of it in the stream's rendezvous order, so that of two one goes on.
 * - T2. It relies on it only once it has read itself since it first heard of it, or heard of it again after 2.5 s of silence. What the other one
 *   knew when it began, nobody told.
 * - T3. It does so for 2.5 s after it has heard of it: two seconds that bring nothing are a sign.
 */
import { order } from '../../../cluster/partition/rendezvous.ts';
import type { NodeId, StreamId } from '../../../cluster/model/ids.ts';
import type { Sender } from '../feed/numbers.ts';

const goodForMs = 2500;

interface Reader extends Sender {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly isRelied: boolean;
}

/** Times are of the running process: what it slept through does not count. */
export class ReadingTurn {
  readonly #stream: StreamId;
  readonly #self: NodeId;
  #reader: Reader | undefined;

  constructor(stream: StreamId, self: NodeId) {
    this.#stream = stream;
    this.#self = self;
  }

  /** Another node has read. @returns whether this one relies on it */
  heard(sender: Sender, nowMs: number): boolean {
    const { node, bootId } = sender;
    if (!this.#isAhead(node, this.#self)) return false;
    const known = this.#reader;
    if (known?.node === node && known.bootId === bootId && nowMs - known.lastMs < goodForMs) {
      this.#reader = { ...known, lastMs: nowMs };
      return known.isRelied;
    }
    const isBetterKnown = known !== undefined && known.node !== node && this.#isAhead(known.node, node);
    if (isBetterKnown && nowMs - known.lastMs < goodForMs) return false;
    this.#reader = { node, bootId, firstMs: nowMs, lastMs: nowMs, isRelied: false };
    return false;
  }

  /** This node has read everything that was there when it began. */
  hasRead(beganMs: number): void {
    const reader = this.#reader;
    if (reader !== undefined && beganMs >= reader.firstMs) this.#reader = { ...reader, isRelied: true };
  }

  /** Whether another one reads for this node. */
  reliesOnOther(nowMs: number): boolean {
    const reader = this.#reader;
    return reader !== undefined && reader.isRelied && nowMs - reader.lastMs < goodForMs;
  }

  #isAhead(one: NodeId, other: NodeId): boolean {
    if (one === other) return false;
    const [first] = order(
      this.#stream,
      [one, other].map((id) => ({ id, weight: 1 })),
    );
    return first?.id === one;
  }
}
