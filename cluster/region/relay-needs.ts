/** The port between edges and relayers of one region: what is needed of other regions, and how far it is relayed (R4). Hints that may be lost. */
import type { NeedMessage, RelayedStream } from '../contract/relay-needs.ts';
import type { StreamId } from '../model/ids.ts';

export interface RelayNeeds {
  /** This node needs these streams. */
  need(streams: readonly StreamId[], byStandby?: boolean): void;
  /** @returns what ends it */
  onNeed(listener: (need: NeedMessage) => void): () => void;
  /** This node relays these streams. */
  tell(streams: readonly RelayedStream[]): void;
  /** @returns what ends it */
  onRelayed(listener: (stream: RelayedStream) => void): () => void;
}
