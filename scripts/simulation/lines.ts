/**
 * Decides in which order nodes may take an orphaned stream: the product's own order, which is the same for all who ask in the same view
 * (rendezvous.ts H2).
 *
 * When a thousand nodes die, tens of thousands of such orders are asked for in each of hundreds of views. Each is the beginning of one
 * fixed order, without the nodes that are no candidates (rendezvous.ts H1) and without those that have no room. So the beginning of the
 * fixed order is kept for each stream, and the order is computed anew only where that beginning is too short.
 */
import type { View } from '../../cluster/membership/view.ts';
import type { Epoch, NodeId, StreamId } from '../../cluster/model/ids.ts';
import { lineOf, type Candidate } from '../../cluster/ownership/succession.ts';
import { roomAmong } from '../../cluster/partition/place.ts';
import { head } from '../../cluster/partition/rendezvous.ts';
import type { Held, Holdings } from './holdings.ts';

/** Nodes further back do not try to take it. */
export const lineLength = 6;
const keptOfOrder = 64;
/** Bounds the memory for orders to about 64 MB. */
const maxOrders = 100_000;

interface Line {
  readonly epoch: Epoch;
  readonly nodes: readonly NodeId[];
}

export class Lines {
  readonly #holdings: Holdings;
  #view: View | undefined;
  #everyone: readonly Candidate[] = [];
  #candidates: readonly Candidate[] = [];
  /** The candidates with room, by the records of that revision. */
  #roomy = new Set<NodeId>();
  #roomyAt = -1;
  readonly #lines = new Map<StreamId, Line>();
  readonly #orders = new Map<StreamId, readonly NodeId[]>();

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The first nodes in line for a stream in the newest view. */
  lineFor({ stream, record: { epoch } }: Held, newest: View): readonly NodeId[] {
    if (this.#view !== newest) this.#renew(newest);
    const known = this.#lines.get(stream);
    if (known !== undefined && known.epoch === epoch) return known.nodes;
    const { loads } = this.#holdings;
    const nodes = this.#fromOrder(stream) ?? lineOf(stream, this.#candidates, loads, lineLength);
    this.#lines.set(stream, { epoch, nodes });
    return nodes;
  }

  #renew(view: View): void {
    this.#view = view;
    this.#lines.clear();
    this.#roomyAt = -1;
    this.#candidates = view.members.filter(({ state }) => state === 'alive');
    if (hasSameIds(this.#everyone, view.members)) return;
    this.#everyone = view.members;
    this.#orders.clear();
  }

  /** Undefined when the kept beginning has too few nodes with room. */
  #fromOrder(stream: StreamId): readonly NodeId[] | undefined {
    this.#findRoom();
    const nodes: NodeId[] = [];
    for (const id of this.#orderOf(stream)) {
      if (this.#roomy.has(id)) nodes.push(id);
      if (nodes.length === lineLength) return nodes;
    }
    return undefined;
  }

  #findRoom(): void {
    const { loads, revision } = this.#holdings;
    if (this.#roomyAt === revision) return;
    this.#roomyAt = revision;
    const loaded = this.#candidates.map(({ id, weight }) => ({ id, weight, load: loads.get(id) ?? 0 }));
    this.#roomy = new Set(loaded.filter(roomAmong(loaded)).map(({ id }) => id));
  }

  #orderOf(stream: StreamId): readonly NodeId[] {
    const known = this.#orders.get(stream);
    if (known !== undefined) return known;
    if (this.#orders.size >= maxOrders) this.#orders.clear();
    const order = head(stream, this.#everyone, keptOfOrder).map(({ id }) => id);
    this.#orders.set(stream, order);
    return order;
  }
}

function hasSameIds(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ id, weight }, index) => b[index]?.id === id && b[index].weight === weight)
  );
}
