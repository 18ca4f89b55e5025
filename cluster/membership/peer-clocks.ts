/**
 * Estimates how far each peer's monotonic clock is from ours, from the probes that the peer answers (C6).
 *
 * Of the last 16 samples the one with the shortest round trip counts: half of its round trip bounds the error. When a peer's clock has
 * jumped, its offset is unknown until it is measured again.
 */
import type { BootId, NodeId } from '../model/ids.ts';

const keptSamples = 16;
const maxJumpMs = 250;
const maxPeers = 2048;
/** Wall clocks serve people only, and may differ by this much. */
const maxSkewMs = 2000;

export interface ClockSample {
  readonly sentAtMs: number;
  readonly roundTripMs: number;
  readonly monotonicMs: number;
  readonly utcMs: number;
}

interface Measured {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

export class PeerClocks {
  readonly #samples = new Map<string, readonly Measured[]>();
  readonly #skews = new Map<NodeId, number>();

  note(node: NodeId, bootId: BootId, sample: ClockSample): void {
    const key = `${node}/${bootId}`;
    const offsetMs = sample.monotonicMs - (sample.sentAtMs + sample.roundTripMs / 2);
    const before = this.#samples.get(key) ?? [];
    const known = best(before);
    const uncertainMs = (sample.roundTripMs + (known?.roundTripMs ?? 0)) / 2;
    const hasJumped = known !== undefined && Math.abs(offsetMs - known.offsetMs) > maxJumpMs + uncertainMs;
    const kept = hasJumped ? [] : before.slice(-(keptSamples - 1));
    this.#samples.delete(key);
    this.#samples.set(key, [...kept, { offsetMs, roundTripMs: sample.roundTripMs }]);
    // When the table is full, the peer is forgotten that was silent for longest.
    for (const oldest of this.#samples.keys()) {
      if (this.#samples.size <= maxPeers) break;
      this.#samples.delete(oldest);
    }
  }

  /** @returns by how many ms that peer's wall clock is off, when that is too much and new */
  noteWall(node: NodeId, skewMs: number): number | undefined {
    const isNew = !this.#skews.has(node);
    if (Math.abs(skewMs) > maxSkewMs) this.#skews.set(node, skewMs);
    else this.#skews.delete(node);
    return isNew && this.#skews.has(node) ? skewMs : undefined;
  }

  /** For people: the members whose wall clock is off. */
  warnings(isMember: (node: NodeId) => boolean): readonly string[] {
    return [...this.#skews]
      .filter(([node]) => isMember(node))
      .map(([node, ms]) => `the clock of ${node} is ${(ms / 1000).toFixed(1)} s away from ours: use NTP`);
  }

  /** The peer's monotonic clock minus ours, in ms; undefined when it is not known. */
  offsetMs(node: NodeId, bootId: BootId): number | undefined {
    return best(this.#samples.get(`${node}/${bootId}`) ?? [])?.offsetMs;
  }
}

function best(samples: readonly Measured[]): Measured | undefined {
  return samples.reduce<Measured | undefined>(
    (least, one) => (least === undefined || one.roundTripMs < least.roundTripMs ? one : least),
    undefined,
  );
}
