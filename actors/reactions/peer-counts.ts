/**
 * What the edges of all regions say of their audience, added up (A10). Each says its own numbers every 2 s; one that is silent for 12 s counts
 * no more, and a node that has started again takes the place of its former life. Bound: nodes.
 */
import { nobody, type AudienceCounts } from '../../cluster/contract/audience/reactions.ts';
import type { StreamId } from '../../cluster/model/ids.ts';

export type CountsByStream = ReadonlyMap<StreamId, AudienceCounts>;

export const countsLastMs = 12_000;
const mostNodes = 2000;

export class PeerCounts {
  readonly #said = new Map<string, { readonly counts: CountsByStream; readonly atMs: number }>();

  /** @param node its name, with its region before it where that is another one */
  note(node: string, counts: CountsByStream, nowMs: number): void {
    this.#said.delete(node);
    this.#said.set(node, { counts, atMs: nowMs });
    const [oldest] = this.#said.keys();
    if (this.#said.size > mostNodes && oldest !== undefined) this.#said.delete(oldest);
  }

  sum(stream: StreamId, nowMs: number): AudienceCounts {
    let sum = nobody;
    for (const { counts, atMs } of this.#said.values())
      if (nowMs - atMs <= countsLastMs) sum = plus(sum, counts.get(stream) ?? nobody);
    return sum;
  }
}

export const plus = (one: AudienceCounts, other: AudienceCounts): AudienceCounts => ({
  players: one.players + other.players,
  sockets: one.sockets + other.sockets,
  users: one.users + other.users,
  suspectedRobots: one.suspectedRobots + other.suspectedRobots,
});
