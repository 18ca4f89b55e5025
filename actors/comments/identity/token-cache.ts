/**
 * Remembers tokens that were found good, so that a busy author's is not verified for each comment. Bounds: 10,000 of them, the one used least
 * lately goes; and 10 minutes each, so that a key that its issuer withdraws ends with it.
 */
import { hash } from 'node:crypto';
import type { Identity } from '../../../cluster/contract/api/audience-views.ts';

const mostTokens = 10_000;
const keptMs = 10 * 60_000;

interface Known {
  readonly identity: Identity;
  readonly untilMs: number;
}

export class TokenCache {
  /** By the hash of the token: the token itself is kept nowhere. */
  readonly #known = new Map<string, Known>();
  readonly #most: number;

  constructor(most: number = mostTokens) {
    this.#most = most;
  }

  find(token: string, nowMs: number): Identity | undefined {
    const name = nameOf(token);
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    this.#known.delete(name);
    if (nowMs >= known.untilMs) return undefined;
    this.#known.set(name, known);
    return known.identity;
  }

  keep(token: string, identity: Identity, nowMs: number): void {
    const expiryMs = identity.expiresAt === undefined ? Infinity : Date.parse(identity.expiresAt);
    this.#known.set(nameOf(token), { identity, untilMs: Math.min(expiryMs, nowMs + keptMs) });
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#most && oldest !== undefined) this.#known.delete(oldest);
  }

  get size(): number {
    return this.#known.size;
  }
}

const nameOf = (token: string): string => hash('sha256', token, 'base64url');
