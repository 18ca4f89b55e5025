/** What nodes said of their load, each for a while: a silent one is not known, rather than as loaded as it once was (C4). */
import type { NodeId } from '../model/ids.ts';

/** Three messages missed. */
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
