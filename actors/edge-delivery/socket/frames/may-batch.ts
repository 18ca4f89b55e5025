/** What waits to be told to those who keep up: reactions are added up, of everything else the newest of each kind counts. */
import { ReactionKind, type ReactionCounts } from '../../../../cluster/contract/audience/reactions.ts';
import type { ServerMessage } from '../../../../cluster/contract/audience/socket-messages.ts';

type Reactions = Extract<ServerMessage, { type: 'reactions' }>;

export class MayBatch {
  #messages = new Map<ServerMessage['type'], ServerMessage>();

  add(message: ServerMessage): void {
    const before = this.#messages.get(message.type);
    const isSum = message.type === 'reactions' && before?.type === 'reactions';
    this.#messages.set(message.type, isSum ? sum(before, message) : message);
  }

  /** @returns what was added since the last call */
  take(): readonly ServerMessage[] {
    const taken = [...this.#messages.values()];
    this.#messages = new Map();
    return taken;
  }
}

function sum(one: Reactions, other: Reactions): Reactions {
  const counts = plus(one.counts, other.counts);
  const windowMs = one.windowMs + other.windowMs;
  if (one.bySecond === undefined && other.bySecond === undefined)
    return { type: 'reactions', counts, windowMs };
  const bySecond = { ...one.bySecond };
  for (const [second, at] of Object.entries(other.bySecond ?? {}))
    bySecond[second] = plus(bySecond[second] ?? {}, at);
  return { type: 'reactions', counts, bySecond, windowMs };
}

function plus(one: ReactionCounts, other: ReactionCounts): ReactionCounts {
  const counts: ReactionCounts = {};
  for (const kind of ReactionKind.options) {
    const count = (one[kind] ?? 0) + (other[kind] ?? 0);
    if (count > 0) counts[kind] = count;
  }
  return counts;
}
