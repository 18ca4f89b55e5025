/**
 * Decides which new connections a listener takes (pure but for what it remembers of networks).
 *
 * A connection costs its opener nothing, and one that asks nothing is ended only after some 30 s. So one host could keep all others out. Up to
 * half of the bound anybody may open. Above it a network has three eighths of the bound at once, and what it opens in 30 s is a sixteenth
 * more. So an eighth is left at its least for the others, and a sixteenth in the long run. Proxies that are trusted are bounded by the bound alone.
 */
import { Buckets } from '../../cluster/bounds/buckets.ts';
import { callerAddress, networkOf, type IsTrustedProxy } from './http/caller.ts';

const burstShare = 3 / 8;
/** A sixteenth of the bound in 32 s. */
const secondShare = 1 / 512;
/** Networks remembered. */
const most = 10_000;

export type Refusal = 'connections' | 'network';

export class ConnectionRoom {
  readonly #most: number;
  readonly #isTrusted: IsTrustedProxy;
  readonly #networks: Buckets;

  /** @param connections that may be open at once */
  constructor(connections: number, isTrusted: IsTrustedProxy) {
    this.#most = connections;
    this.#isTrusted = isTrusted;
    const burst = Math.max(1, Math.floor(connections * burstShare));
    this.#networks = new Buckets({ burst, perSecond: connections * secondShare, most });
  }

  /**
   * @param open connections, the new one included
   * @param address of its other end
   * @returns why it is to be closed; undefined for one that is taken
   */
  refusal(open: number, address: () => string, nowMs: number): Refusal | undefined {
    if (open > this.#most) return 'connections';
    if (open <= this.#most / 2) return undefined;
    const remoteAddress = address();
    const peer = callerAddress({ remoteAddress, header: () => '' }, () => false);
    if (this.#isTrusted(peer)) return undefined;
    return this.#networks.take(networkOf(peer), nowMs) > 0 ? 'network' : undefined;
  }
}
