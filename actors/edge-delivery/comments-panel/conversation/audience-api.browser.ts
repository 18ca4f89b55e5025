/** What the panel asks the API by HTTP, at the edge that answers: the page's own one first. */
import type { Edges } from '../../player/edges.browser.ts';
import { readComment, readMode, readPage, readPerson } from '../state/comment.ts';
import type { CommentsPage, Mode, PageComment, Person } from '../state/comment.ts';
import type { Draft } from '../state/own-comment.ts';
import { noAnswer, readProblem, type Problem } from '../state/problem.ts';
import { fieldOf, parseJson, textOf } from '../state/read-json.ts';

const timeoutMs = 8_000;

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export interface Posted {
  readonly comment: PageComment;
  readonly receipt: string | undefined;
}

interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  /** Undefined: whoever is signed in. */
  readonly token?: string | undefined;
}

export class AudienceApi {
  readonly #stream: string;
  readonly #edges: Edges;
  readonly #token: () => string | undefined;
  /** The token of whoever is signed in was refused, whatever was asked with it: a page of comments, too, does not come with one that is over. */
  onDoubt: (problem: Problem) => void = () => {};

  constructor(streamId: string, edges: Edges, token: () => string | undefined) {
    this.#stream = `/v1/streams/${encodeURIComponent(streamId)}`;
    this.#edges = edges;
    this.#token = token;
  }

  page(query: Readonly<Record<string, string>>): Promise<Answer<CommentsPage>> {
    const mine = this.#token() === undefined ? {} : { mine: 'true' };
    const text = new URLSearchParams({ ...query, ...mine }).toString();
    return this.#ask(`${this.#stream}/comments?${text}`, {}, readPage);
  }

  thread(id: string, cursor: string | undefined): Promise<Answer<CommentsPage>> {
    const mine = this.#token() === undefined ? {} : { mine: 'true' };
    const query = { limit: '100', ...mine, ...(cursor === undefined ? {} : { cursor }) };
    const path = `/v1/comments/${encodeURIComponent(id)}/thread?${new URLSearchParams(query).toString()}`;
    return this.#ask(path, {}, readPage);
  }

  like(id: string, isLiked: boolean): Promise<Answer<true>> {
    const path = `/v1/comments/${encodeURIComponent(id)}/like`;
    return this.#ask(path, { method: isLiked ? 'PUT' : 'DELETE' }, () => true);
  }

  post(draft: Draft, receipt?: string): Promise<Answer<Posted>> {
    const { text, clientId, parentId, mediaTime } = draft;
    const body = { text, clientId, parentId, mediaTime, receipt };
    return this.#ask(`${this.#stream}/comments`, { method: 'POST', body }, (answer) => {
      const comment = readComment(answer);
      return comment === undefined ? undefined : { comment, receipt: textOf(answer, 'receipt') };
    });
  }

  hide(id: string): Promise<Answer<PageComment>> {
    return this.#ask(`/v1/comments/${encodeURIComponent(id)}`, { method: 'DELETE' }, readComment);
  }

  restore(id: string): Promise<Answer<PageComment>> {
    const path = `/v1/comments/${encodeURIComponent(id)}/restore`;
    return this.#ask(path, { method: 'POST', body: {} }, readComment);
  }

  guest(name: string): Promise<Answer<{ readonly token: string; readonly me: Person }>> {
    return this.#ask('/v1/guests', { method: 'POST', body: { name } }, (answer) => {
      const token = textOf(answer, 'token');
      const me = readPerson({ user: fieldOf(answer, 'user'), permissions: [] });
      return token === undefined || me === undefined ? undefined : { token, me };
    });
  }

  identify(token: string): Promise<Answer<Person>> {
    return this.#ask('/v1/me', { token }, readPerson);
  }

  mode(): Promise<Answer<Mode>> {
    return this.#ask(`${this.#stream}/mode`, {}, readMode);
  }

  setMode(mode: Mode): Promise<Answer<Mode>> {
    return this.#ask(`${this.#stream}/mode`, { method: 'PUT', body: mode }, readMode);
  }

  report(id: string): Promise<Answer<true>> {
    const path = `/v1/comments/${encodeURIComponent(id)}/report`;
    return this.#ask(path, { method: 'POST', body: {} }, () => true);
  }

  release(id: string): Promise<Answer<true>> {
    const path = `/v1/comments/${encodeURIComponent(id)}/release`;
    return this.#ask(path, { method: 'POST', body: {} }, () => true);
  }

  /** @param ban without `seconds`, for good */
  ban(
    userId: string,
    ban: { readonly seconds: number | undefined; readonly purge: boolean },
  ): Promise<Answer<true>> {
    const path = `${this.#stream}/bans/${encodeURIComponent(userId)}`;
    return this.#ask(path, { method: 'PUT', body: ban }, () => true);
  }

  unban(userId: string): Promise<Answer<true>> {
    const path = `${this.#stream}/bans/${encodeURIComponent(userId)}`;
    return this.#ask(path, { method: 'DELETE' }, () => true);
  }

  react(reaction: object): Promise<Answer<true>> {
    return this.#ask(`${this.#stream}/reactions`, { method: 'POST', body: reaction }, () => true);
  }

  /** The server's time; undefined when it does not answer. */
  async time(): Promise<number | undefined> {
    const reply = await this.#fetch('/v1/time', {}).catch(() => undefined);
    const ms = Date.parse(reply?.ok === true ? await reply.text().catch(() => '') : '');
    return Number.isNaN(ms) ? undefined : ms;
  }

  async #ask<T>(
    path: string,
    request: Request,
    read: (answer: unknown) => T | undefined,
  ): Promise<Answer<T>> {
    // One that is given is tried out: to sign in, or to see what it is worth.
    const isRelied = request.token === undefined && this.#token() !== undefined;
    try {
      const reply = await this.#fetch(path, request);
      const answer = parseJson(await reply.text());
      const value = reply.ok ? read(answer) : undefined;
      if (value !== undefined) return { ok: true, value };
      const problem = readProblem(answer, reply.status, reply.headers.get('retry-after'));
      if (reply.status === 401 && isRelied) this.onDoubt(problem);
      return { ok: false, problem };
    } catch {
      this.#edges.next();
      return { ok: false, problem: noAnswer };
    }
  }

  #fetch(path: string, { method = 'GET', body, token = this.#token() }: Request): Promise<Response> {
    return fetch(`${this.#edges.current}${path}`, {
      method,
      headers: {
        accept: 'application/json, text/plain',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
