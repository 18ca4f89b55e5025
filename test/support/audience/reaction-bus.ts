/** What nodes tell each other of reactions, in memory: everybody hears everything at once. */
import type {
  CountsEvent,
  MovedEvent,
  ReactionEvents,
  WindowEvent,
} from '../../../actors/reactions/reaction-events.ts';
import { NodeReactions, type ReactionPorts } from '../../../actors/reactions/reactions.ts';
import { BootId, NodeId, type StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { JumpingClock } from '../ports/jumping-clock.ts';

export class ReactionBus implements ReactionEvents {
  isAway = false;
  /** Messages that were published so far. */
  published = 0;
  readonly #windows = new Set<{ readonly stream: StreamId; hear(event: WindowEvent): void }>();
  readonly #counts = new Set<(event: CountsEvent) => void>();
  readonly #moved = new Set<{ readonly node: NodeId; hear(event: MovedEvent): void }>();

  publishWindow(stream: StreamId, event: WindowEvent): boolean {
    if (this.isAway) return false;
    this.published += 1;
    for (const one of this.#windows) if (one.stream === stream) one.hear(event);
    return true;
  }

  listen(stream: StreamId, hear: (event: WindowEvent) => void): () => void {
    const one = { stream, hear };
    this.#windows.add(one);
    return () => void this.#windows.delete(one);
  }

  publishCounts(event: CountsEvent): boolean {
    if (this.isAway) return false;
    for (const hear of this.#counts) hear(event);
    return true;
  }

  onCounts(listener: (event: CountsEvent) => void): () => void {
    this.#counts.add(listener);
    return () => void this.#counts.delete(listener);
  }

  publishMoved(to: NodeId, event: MovedEvent): boolean {
    if (this.isAway) return false;
    for (const one of this.#moved) if (one.node === to) one.hear(event);
    return true;
  }

  onMoved(node: NodeId, hear: (event: MovedEvent) => void): () => void {
    const one = { node, hear };
    this.#moved.add(one);
    return () => void this.#moved.delete(one);
  }
}

/** The reactions of one node at a bus. */
export function reactionsAt(
  events: ReactionEvents,
  {
    node = 'n1',
    boot = 'b1',
    ...given
  }: { node?: string; boot?: string } & Partial<Omit<ReactionPorts, 'node' | 'bootId'>> = {},
): NodeReactions {
  return new NodeReactions({
    node: NodeId.parse(node),
    bootId: BootId.parse(boot),
    clock: new JumpingClock(),
    logger: silentLogger,
    metrics: noMetrics,
    events,
    keep: () => undefined,
    ownCounts: () => new Map(),
    players: () => undefined,
    ...given,
  });
}
