/** The needs of one region's nodes in memory: what one says, all hear (R4). */
import type { NeedMessage, RelayedStream } from '../../../cluster/contract/relay-needs.ts';
import { NodeId, type StreamId } from '../../../cluster/model/ids.ts';
import type { RelayNeeds } from '../../../cluster/region/relay-needs.ts';

export class MemoryNeeds implements RelayNeeds {
  readonly #needs = new Set<(need: NeedMessage) => void>();
  readonly #relayed = new Set<(stream: RelayedStream) => void>();
  /** All that was said, in order. */
  readonly needed: StreamId[] = [];

  need(streams: readonly StreamId[], byStandby = false): void {
    this.needed.push(...streams);
    const need = { node: NodeId.parse('edge'), streams: [...streams], byStandby };
    for (const listener of this.#needs) listener(need);
  }

  onNeed(listener: (need: NeedMessage) => void): () => void {
    this.#needs.add(listener);
    return () => void this.#needs.delete(listener);
  }

  tell(streams: readonly RelayedStream[]): void {
    for (const stream of streams) for (const listener of this.#relayed) listener(stream);
  }

  onRelayed(listener: (stream: RelayedStream) => void): () => void {
    this.#relayed.add(listener);
    return () => void this.#relayed.delete(listener);
  }
}
