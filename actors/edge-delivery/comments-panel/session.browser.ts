/** Who the viewer is: a guest by a name, an account by a token, or nobody yet. */
import type { AudienceApi } from './audience-api.browser.ts';
import type { KeptIdentity } from './identity.browser.ts';
import type { Person } from './state/comment.ts';
import { problemWords } from './state/problem.ts';

export class Session {
  readonly #api: AudienceApi;
  readonly #identity: KeptIdentity;
  readonly #streamId: string;
  readonly #onChange: () => void;

  constructor(options: {
    readonly api: AudienceApi;
    readonly identity: KeptIdentity;
    readonly streamId: string;
    readonly onChange: () => void;
  }) {
    this.#api = options.api;
    this.#identity = options.identity;
    this.#streamId = options.streamId;
    this.#onChange = options.onChange;
  }

  get me(): Person | undefined {
    return this.#identity.now?.me;
  }

  get token(): string | undefined {
    return this.#identity.now?.token;
  }

  /** @returns what is wrong with the name */
  async becomeGuest(name: string): Promise<string | undefined> {
    const answer = await this.#api.guest(name);
    if (!answer.ok) return problemWords(answer.problem);
    this.#identity.set(answer.value);
    this.#onChange();
    return undefined;
  }

  /** @returns what is wrong with the token */
  async signIn(token: string): Promise<string | undefined> {
    const answer = await this.#api.identify(token);
    if (!answer.ok)
      return answer.problem.status === 401
        ? 'That token is not accepted: ask for a new one.'
        : problemWords(answer.problem);
    const me = answer.value;
    if (me.stream !== undefined && me.stream !== this.#streamId)
      return 'That token is for another broadcast.';
    this.#identity.set({ token, me });
    this.#onChange();
    return undefined;
  }

  signOut(): void {
    this.#identity.set(undefined);
    this.#onChange();
  }

  /** What the server says of the viewer, who may have got other permissions meanwhile. */
  learn(me: Person): void {
    const { now } = this.#identity;
    if (now === undefined || now.me.id !== me.id) return;
    this.#identity.set({ token: now.token, me });
  }

  /**
   * The token is no longer taken. A guest gets another one under the same name; an account has to sign in again.
   *
   * @returns whether the viewer is somebody again
   */
  async renew(): Promise<boolean> {
    const { me } = this;
    if (me?.isGuest === true && (await this.becomeGuest(me.name)) === undefined) return true;
    this.signOut();
    return false;
  }
}
