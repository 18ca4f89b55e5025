/**
 * Decides which new connections a listener takes (pure but for what it remembers of networks).
 *
 * A connection costs its opener nothing, and one that asks nothing is ended only after some 30 s. So one host could keep all others out with
 * idle ones. Up to half of the bound anybody may open. Above it a network may open three eighths of the bound at once, and a sixteenth more in
 * 32 s. So its idle connections leave an eighth at their least for the others, and a sixteenth in the long run. Proxies that are trusted are
 * bounded by the bound alone.
 *
 * This bounds what a network opens, not what it holds: one that asks on each of its connections in time keeps them, and has the rest as well
 * some 64 s later. One IPv4 address has 64,000 ports to do so, and an IPv6 network has more than any bound.
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
