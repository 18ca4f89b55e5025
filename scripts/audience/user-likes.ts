/** Carries out a simulated user's likes: asks, and tells the recorder what was asked and answered. `own-likes.ts` decides what to ask. */
import { OwnLikes } from './own-likes.ts';
import type { UserPorts } from './user-ports.ts';

const mostRecent = 100;

export class UserLikes {
  readonly #user: string;
  readonly #ports: Pick<UserPorts, 'client' | 'recorder' | 'random'>;
  readonly #own = new OwnLikes();
  /** What the user has seen lately. */
  readonly #recent: string[] = [];

  constructor(user: string, ports: Pick<UserPorts, 'client' | 'recorder' | 'random'>) {
    this.#user = user;
    this.#ports = ports;
  }

  get isOpen(): boolean {
    return this.#own.isOpen;
  }

  isDue(nowMs: number): boolean {
    return this.#own.isDue(nowMs);
  }

  saw(id: string): void {
    this.#recent.push(id);
    if (this.#recent.length > mostRecent) this.#recent.shift();
  }

  /**
   * @param nowMs the server's time
   * @param hot what to like; else it is something that was seen lately
   * @returns false where nobody answered
   */
  async like(edge: string, nowMs: number, hot: string | undefined): Promise<boolean> {
    const { client, recorder, random } = this.#ports;
    const some = this.#recent[Math.floor(random() * this.#recent.length)];
    const next = this.#own.next(hot ?? some, recorder.nowMs);
    if (next === undefined) return true;
    const act = { kind: 'like', user: this.#user, ...next } as const;
    recorder.note({ ...act, step: 'asked' });
    const isDone = await client.like(edge, { ...next, atMs: nowMs });
    const step = isDone === undefined ? 'unanswered' : isDone ? 'done' : 'refused';
    recorder.note({ ...act, step });
    this.#own.answered(step, recorder.nowMs);
    return step !== 'unanswered';
  }
}
