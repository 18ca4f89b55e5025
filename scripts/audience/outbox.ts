/**
 * The comments of one user that are not acknowledged yet: each is sent until somebody says what became of it. Pure.
 *
 * Bound: `mostWaiting`; a user who has so many says no more.
 */
import type { ClientId } from '../../cluster/model/ids.ts';

export interface Waiting {
  readonly clientId: ClientId;
  readonly text: string;
  /** It was sent, and neither answered nor given up. */
  readonly isUnderWay: boolean;
  /** When to send it, or, under way, when to give up on the answer. */
  readonly dueAtMs: number;
}

export const outboxLimits = { mostWaiting: 50, answerWithinMs: 7000, againAfterMs: 1000 } as const;

export class Outbox {
  readonly #waiting = new Map<ClientId, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size >= outboxLimits.mostWaiting;
  }

  get(clientId: string): Waiting | undefined {
    return [...this.#waiting.values()].find((one) => one.clientId === clientId);
  }

  add(clientId: ClientId, text: string, nowMs: number): void {
    this.#waiting.set(clientId, { clientId, text, isUnderWay: false, dueAtMs: nowMs });
  }

  /** What is to be sent now. It is under way from then on. */
  takeDue(nowMs: number): readonly Waiting[] {
    const due = [...this.#waiting.values()].filter(
      ({ isUnderWay, dueAtMs }) => !isUnderWay && dueAtMs <= nowMs,
    );
    for (const one of due)
      this.#waiting.set(one.clientId, {
        ...one,
        isUnderWay: true,
        dueAtMs: nowMs + outboxLimits.answerWithinMs,
      });
    return due;
  }

  /** What was not answered in time, or, where the connection is lost, not at all. It is due again. */
  takeUnanswered(nowMs: number, isLost: boolean): readonly Waiting[] {
    const late = [...this.#waiting.values()].filter(
      ({ isUnderWay, dueAtMs }) => isUnderWay && (isLost || dueAtMs <= nowMs),
    );
    for (const { clientId } of late) this.again(clientId, nowMs);
    return late;
  }

  /** It is to be sent again. */
  again(clientId: string, atMs: number): void {
    const one = this.get(clientId);
    if (one !== undefined) this.#waiting.set(one.clientId, { ...one, isUnderWay: false, dueAtMs: atMs });
  }

  /** @returns false where nobody waits for it */
  remove(clientId: string): boolean {
    const one = this.get(clientId);
    return one !== undefined && this.#waiting.delete(one.clientId);
  }
}

/** What the answer that a comment, or a like, was not taken means for it. A like that came too late is asked again with the time of then. */
export function afterRefusal(code: string, status: number): 'again' | 'lookUp' | 'over' {
  if (code === 'COMMENT_EXPIRED') return 'lookUp';
  return status === 429 || status === 425 || status >= 500 ? 'again' : 'over';
}
