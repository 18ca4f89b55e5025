/** The viewer's likes, over the page's socket or by HTTP, shown in its list. */
import type { AudienceApi } from './audience-api.browser.ts';
import type { Live } from './live.browser.ts';
import type { Session } from './session.browser.ts';
import type { CommentList } from '../state/comment-list.ts';
import { Liking } from '../state/liking.ts';
import type { LiveMessage } from '../state/live-message.ts';
import { problemWords } from '../state/problem.ts';
import type { ServerTime } from '../state/server-time.ts';

export interface LikesOptions {
  readonly api: AudienceApi;
  readonly live: Live;
  readonly list: CommentList;
  readonly session: Session;
  readonly time: ServerTime;
  readonly onChange: () => void;
}

export class Likes {
  readonly #liking: Liking;
  readonly #live: Live;
  readonly #session: Session;

  constructor({ api, live, list, session, time, onChange }: LikesOptions) {
    this.#live = live;
    this.#session = session;
    this.#liking = new Liking({
      send: (message) => live.send(message),
      ask: async (id, isLiked, atMs) => {
        const answer = await api.like(id, isLiked, atMs);
        return answer.ok ? undefined : answer.problem;
      },
      show: (id, isLikedByMe, by) => {
        list.change(id, (known) => ({ ...known, likes: Math.max(0, known.likes + by), isLikedByMe }));
        onChange();
      },
      serverNowMs: () => (time.isKnown ? time.at(Date.now()) : undefined),
    });
  }

  /** Shows at once that the viewer likes it, or no longer; the count of all follows. @returns what is wrong */
  async set(id: string, isLiked: boolean): Promise<string | undefined> {
    const problem = await this.#liking.set(id, isLiked, Date.now());
    if (problem === undefined) return undefined;
    if (problem.code !== 'UNAUTHENTICATED') return problemWords(problem);
    this.#session.doubt(problem, Date.now()); // which says what comes of it
    return undefined;
  }

  heard({ id, isLiked }: Extract<LiveMessage, { kind: 'liked' }>): void {
    this.#liking.heard(id, isLiked);
  }

  failed(isLiked: boolean, { id, problem }: Extract<LiveMessage, { kind: 'error' }>): void {
    if (problem.code === 'UNAUTHENTICATED') this.#live.introduce(); // it may have missed who the viewer is
    this.#liking.heard(id ?? '', isLiked, problem);
  }

  tick(nowMs: number): void {
    this.#liking.tick(nowMs);
  }

  disconnected(): void {
    this.#liking.disconnected();
  }
}
