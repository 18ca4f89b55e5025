/**
 * What a stream's sockets were told while others were joining, so that whoever joins gets all of it, and each comment once.
 *
 * Who joins asks the feed what it lacks, and that takes a while. What is told meanwhile is kept here, and follows the feed's answer. It
 * is kept only while somebody joins. Bound: messages kept; who joined before the oldest is told a gap.
 */
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { textOf } from './frame.ts';

interface Kept {
  readonly number: number;
  readonly message: ServerMessage;
}

/** Where somebody began to join. */
export interface Joiner {
  /** The first message that is not in the feed's answer for sure. */
  readonly from: number;
  readonly atMs: number;
}

const mostKept = 2000;

export class LatestMessages {
  #next = 0;
  #kept: Kept[] = [];
  readonly #joiners = new Set<Joiner>();

  add(message: ServerMessage): void {
    const number = this.#next++;
    if (this.#joiners.size === 0) return;
    this.#kept.push({ number, message });
    if (this.#kept.length > mostKept) this.#kept.shift();
  }

  /** @param nowMs server time */
  begin(nowMs: number): Joiner {
    const joiner = { from: this.#next, atMs: nowMs };
    this.#joiners.add(joiner);
    return joiner;
  }

  /** To be called once for each that began, whether it joins or not. */
  end(joiner: Joiner): void {
    this.#joiners.delete(joiner);
    const [oldest] = this.#joiners;
    this.#kept = oldest === undefined ? [] : this.#kept.filter(({ number }) => number >= oldest.from);
  }

  /**
   * The texts of what follows the feed's answer.
   *
   * @param answer what the feed told of the past: a comment in it is not told again, changes of it are
   */
  since(joiner: Joiner, answer: readonly ServerMessage[], nowMs: number): readonly string[] {
    const known = new Set(
      answer.flatMap((message) => (message.type === 'comment' ? [message.comment.id] : [])),
    );
    const first = this.#kept[0]?.number ?? this.#next;
    const lost = first > joiner.from ? [textOf(gapMessage(joiner.atMs, nowMs))] : [];
    const rest = this.#kept
      .filter(({ number, message }) => {
        const isKnown = message.type === 'comment' && known.has(message.comment.id);
        return number >= joiner.from && !isKnown;
      })
      .map(({ message }) => textOf(message));
    return [...lost, ...rest];
  }
}

export function gapMessage(fromMs: number, toMs: number): ServerMessage {
  return { type: 'gap', from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
