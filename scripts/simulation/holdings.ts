/**
 * Says who holds which stream by the ownership records, and answers the questions of two thousand nodes cheaply.
 *
 * All lists are in the order in which streams were first owned. They are kept until a record changes, as in a region at rest every node
 * asks the same questions every few seconds.
 */
import { findMember, isLive, type View } from '../../cluster/membership/view.ts';
import type { BootId, NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';

export interface Held {
  readonly stream: StreamId;
  readonly record: OwnershipRecord;
  readonly revision: number;
  /** The stream's place among all streams, by when each was first owned. */
  readonly ordinal: number;
}

interface Holding {
  readonly owner: NodeId;
  readonly held: Map<StreamId, Held>;
  inOrder: readonly Held[] | undefined;
}

const none: readonly Held[] = [];
export const byOrdinal = (a: Held, b: Held): number => a.ordinal - b.ordinal;

export class Holdings {
  readonly #records = new Map<StreamId, Held>();
  readonly #holdings = new Map<BootId, Holding>();
  readonly #loads = new Map<NodeId, number>();
  #orphans = new WeakMap<View, readonly Held[]>();
  /** How many records were written. */
  revision = 0;

  /** How many streams each node owns. */
  get loads(): ReadonlyMap<NodeId, number> {
    return this.#loads;
  }

  of(stream: StreamId): Held | undefined {
    return this.#records.get(stream);
  }

  put(stream: StreamId, record: OwnershipRecord, revision: number): void {
    this.revision += 1;
    const former = this.#records.get(stream);
    const held = { stream, record, revision, ordinal: former?.ordinal ?? this.#records.size };
    if (former !== undefined) this.#drop(former);
    this.#records.set(stream, held);
    const { owner, bootId } = record;
    const holding = this.#holdings.get(bootId) ?? { owner, held: new Map(), inOrder: undefined };
    this.#holdings.set(bootId, holding);
    holding.held.set(stream, held);
    holding.inOrder = undefined;
    this.#loads.set(owner, (this.#loads.get(owner) ?? 0) + 1);
    this.#orphans = new WeakMap();
  }

  #drop({ stream, record: { owner, bootId } }: Held): void {
    const holding = this.#holdings.get(bootId);
    if (holding === undefined) return;
    holding.held.delete(stream);
    holding.inOrder = undefined;
    if (holding.held.size === 0) this.#holdings.delete(bootId);
    this.#loads.set(owner, (this.#loads.get(owner) ?? 0) - 1);
  }

  heldBy(bootId: BootId): readonly Held[] {
    const holding = this.#holdings.get(bootId);
    if (holding === undefined) return none;
    holding.inOrder ??= [...holding.held.values()].toSorted(byOrdinal);
    return holding.inOrder;
  }

  /** The streams that earlier boots of a node left to it. */
  heldByOthers(node: NodeId, bootId: BootId): readonly Held[] {
    return this.#heldWhere((owner, boot) => owner === node && boot !== bootId);
  }

  /** All streams whose owner, in that boot, is no live member of a view. */
  orphansIn(view: View): readonly Held[] {
    const known = this.#orphans.get(view);
    if (known !== undefined) return known;
    const orphans = this.#heldWhere((owner, boot) => {
      const member = findMember(view, owner);
      return member?.bootId !== boot || !isLive(member);
    });
    this.#orphans.set(view, orphans);
    return orphans;
  }

  #heldWhere(isMeant: (owner: NodeId, bootId: BootId) => boolean): readonly Held[] {
    const found: Held[] = [];
    for (const [bootId, { owner }] of this.#holdings)
      if (isMeant(owner, bootId)) found.push(...this.heldBy(bootId));
    return found.length === 0 ? none : found.toSorted(byOrdinal);
  }
}
