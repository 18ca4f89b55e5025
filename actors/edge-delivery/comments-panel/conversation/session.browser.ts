/** Who the viewer is: a guest by a name, an account by a token, or nobody yet. */
import type { AudienceApi } from './audience-api.browser.ts';
import type { KeptIdentity } from './identity.browser.ts';
import type { Person } from '../state/comment.ts';
import { isPassing, problemWords, type Problem } from '../state/problem.ts';

/** What became of who the viewer is. */
export type Proof = 'taken' | 'renewed' | 'lost';

/** Servers are asked who the viewer is no more often than this, and ever more rarely until a comment is accepted. */
const proveEveryMs = 10_000;
const mostDoublings = 4;

const notAccepted = 'That token is not accepted: ask for a new one.';
/** A browser sends nothing else in a header; to ask with it would look as if no server answered. */
const sendable = /^[\x21-\x7e]+$/;

export class Session {
  readonly #api: AudienceApi;
  readonly #identity: KeptIdentity;
  readonly #streamId: string;
  readonly #onChange: () => void;
  readonly #onProof: (proof: Proof, problem: Problem) => void;
  /** Why a server is to be asked who the viewer is. */
  #doubt: Problem | undefined;
  #proveAfterMs = 0;
  #proofs = 0;

  constructor(options: {
    readonly api: AudienceApi;
    readonly identity: KeptIdentity;
    readonly streamId: string;
    readonly onChange: () => void;
    /** @param problem what gave rise to the doubt */
    readonly onProof: (proof: Proof, problem: Problem) => void;
  }) {
    this.#api = options.api;
    this.#identity = options.identity;
    this.#streamId = options.streamId;
    this.#onChange = options.onChange;
    this.#onProof = options.onProof;
    options.api.onDoubt = (problem) => this.doubt(problem, Date.now());
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
    if (!sendable.test(token)) return notAccepted;
    const answer = await this.#api.identify(token);
    if (!answer.ok) return answer.problem.status === 401 ? notAccepted : problemWords(answer.problem);
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
    this.#identity.learn(me);
  }

  /** A server refused the token, perhaps because it could not see who made it. */
  doubt(problem: Problem, nowMs: number): void {
    this.#doubt = problem;
    this.tick(nowMs);
  }

  /** A server took the token for a comment. */
  trusted(): void {
    this.#proofs = 0;
  }

  tick(nowMs: number): void {
    if (this.#doubt === undefined || nowMs < this.#proveAfterMs) return;
    this.#proveAfterMs = nowMs + proveEveryMs * 2 ** Math.min(this.#proofs, mostDoublings);
    this.#proofs += 1;
    void this.#clear(this.#doubt);
  }

  async #clear(problem: Problem): Promise<void> {
    const proof = this.me === undefined ? undefined : await this.#prove(this.me);
    if (proof === undefined && this.me !== undefined) return; // no server says, so it is asked again later
    this.#doubt = undefined;
    if (proof !== undefined) this.#onProof(proof, problem);
  }

  /** Only a server that says that the token is no longer taken ends it. A guest gets another one, an account has to sign in again. */
  async #prove(me: Person): Promise<Proof | undefined> {
    const { token } = this;
    if (token === undefined) return undefined;
    const answer = await this.#api.identify(token);
    if (answer.ok || this.token !== token) return 'taken';
    if (answer.problem.status !== 401) return undefined;
    return me.isGuest ? this.#renew(me.name) : this.#lose();
  }

  async #renew(name: string): Promise<Proof | undefined> {
    const answer = await this.#api.guest(name);
    if (!answer.ok)
      return isPassing(answer.problem) || answer.problem.status === 429 ? undefined : this.#lose();
    this.#identity.set(answer.value);
    this.#onChange();
    return 'renewed';
  }

  #lose(): Proof {
    this.signOut();
    return 'lost';
  }
}
