/**
 * Remembers for a short while what each node said of its load. The load of a node that falls silent is unknown: it may be another by now
 * (C4).
 */
import type { NodeId, RegionId } from '../model/ids.ts';

/** Three missed messages. */
export const loadLastsMs = 7000;
const maxNodes = 2000;

/** Bytes of media that an edge got from each other region since it started (R5). */
export type BytesFrom = Readonly<Record<string, number>>;

interface Told {
  readonly load: number;
  readonly bytesFrom: BytesFrom;
  readonly atMs: number;
}

export class PeerLoads {
  readonly #loads = new Map<NodeId, Told>();

  note(node: NodeId, load: number, nowMs: number, bytesFrom: BytesFrom = {}): void {
    this.#loads.delete(node);
    this.#loads.set(node, { load, bytesFrom, atMs: nowMs });
    const [oldest] = this.#loads.keys();
    if (this.#loads.size > maxNodes && oldest !== undefined) this.#loads.delete(oldest);
  }

  /** Of all edges that have told lately. */
  bytesFrom(region: RegionId, nowMs: number): number {
    const known = [...this.#loads.values()].filter(({ atMs }) => nowMs - atMs <= loadLastsMs);
    return known.reduce((sum, { bytesFrom }) => sum + (bytesFrom[region] ?? 0), 0);
  }

  of(node: NodeId, nowMs: number): number | undefined {
    const known = this.#loads.get(node);
    return known === undefined || nowMs - known.atMs > loadLastsMs ? undefined : known.load;
  }
}
