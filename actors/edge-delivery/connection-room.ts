/**
 * Decides which new connections a listener takes (pure but for what it remembers of networks).
 *
 * A connection costs its opener nothing, and is kept by asking once in half a minute. So one host could keep all others out. Up to half of the
 * bound anybody may open. Above it a network may open three eighths of the bound at once, and a sixteenth more in 32 s; and each 10 s it is
 * counted how many each network holds: one that has seven eighths of the bound opens no more until some of them are closed. So an eighth is left for
 * the others, but for what is opened between two counts, a fiftieth of the bound. Proxies that are trusted are bounded by the bound alone.
 *
 * Where the system does not tell who holds what (`held-connections.system.ts`), only what is opened is bounded.
 */
import { Buckets } from '../../cluster/bounds/buckets.ts';
import { callerAddress, networkOf, type IsTrustedProxy } from './http/caller.ts';

const burstShare = 3 / 8;
/** A sixteenth of the bound in 32 s. */
const secondShare = 1 / 512;
const heldShare = 7 / 8;
const countEveryMs = 10_000;
/** Networks remembered of those that open connections. */
const most = 10_000;

export type Refusal = 'connections' | 'network';

const nothing: ReadonlyMap<string, number> = new Map();

export class ConnectionRoom {
  readonly #most: number;
  readonly #isTrusted: IsTrustedProxy;
  readonly #networks: Buckets;
  /** At the last count: no more entries than connections. */
  #held = nothing;
  /** Infinity while they are counted. */
  #countAtMs = -Infinity;

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
    const network = networkOf(peer);
    if ((this.#held.get(network) ?? 0) >= this.#most * heldShare) return 'network';
    return this.#networks.take(network, nowMs) > 0 ? 'network' : undefined;
  }

  /** Is it to be counted now who holds how many? Then `counted` follows. Never up to half of the bound. @param open connections */
  isToCount(open: number, nowMs: number): boolean {
    if (open <= this.#most / 2) this.#held = nothing;
    if (open <= this.#most / 2 || nowMs < this.#countAtMs) return false;
    this.#countAtMs = Infinity;
    return true;
  }

  /** @param held connections by network; undefined where that is not known */
  counted(held: ReadonlyMap<string, number> | undefined, nowMs: number): void {
    this.#held = held ?? nothing;
    this.#countAtMs = nowMs + countEveryMs;
  }
}
