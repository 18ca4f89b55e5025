/**
 * Remembers for a short while what each node said of its load. The load of a node that falls silent is unknown: it may be another by now
 * (C4).
 */
import type { NodeId } from '../model/ids.ts';

/** Three missed messages. */
export const loadLastsMs = 7000;
const maxNodes = 2000;

export class PeerLoads {
  readonly #loads = new Map<NodeId, { readonly load: number; readonly atMs: number }>();

  note(node: NodeId, load: number, nowMs: number): void {
    this.#loads.delete(node);
    this.#loads.set(node, { load, atMs: nowMs });
    const [oldest] = this.#loads.keys();
    if (this.#loads.size > maxNodes && oldest !== undefined) this.#loads.delete(oldest);
  }

  of(node: NodeId, nowMs: number): number | undefined {
    const known = this.#loads.get(node);
    return known === undefined || nowMs - known.atMs > loadLastsMs ? undefined : known.load;
  }
}
