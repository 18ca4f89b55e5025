/**
 * How far each peer's monotonic clock is from ours, from the probes that it answers (C6).
 *
 * The sample with the least round trip of the last 16 is believed: half of its round trip bounds the error. A peer whose
 * clock has jumped is unknown until it is measured again.
 */
import type { BootId, NodeId } from '../model/ids.ts';

const keptSamples = 16;
const maxJumpMs = 250;
const maxPeers = 2048;
/** People's clocks need not agree better than this. */
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
    // When full, the peer that was heard of longest ago is forgotten.
    for (const oldest of this.#samples.keys()) {
      if (this.#samples.size <= maxPeers) break;
      this.#samples.delete(oldest);
    }
  }

  /** @returns how far that peer's wall clock is off, ms, when that is too far and new */
  noteWall(node: NodeId, skewMs: number): number | undefined {
    const isNew = !this.#skews.has(node);
    if (Math.abs(skewMs) > maxSkewMs) this.#skews.set(node, skewMs);
    else this.#skews.delete(node);
    return isNew && this.#skews.has(node) ? skewMs : undefined;
  }

  /** For people: whose wall clock is off, of those that are members. */
  warnings(isMember: (node: NodeId) => boolean): readonly string[] {
    return [...this.#skews]
      .filter(([node]) => isMember(node))
      .map(([node, ms]) => `the clock of ${node} is ${(ms / 1000).toFixed(1)} s away from ours: use NTP`);
  }

  /** Their monotonic clock minus ours, ms; undefined when it is not known. */
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
