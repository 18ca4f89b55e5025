/**
 * Who gets a socket: bounds for the node, for one network, for those who have not said hello yet, and for how often a network comes. What is over
 * one is refused.
 */
import { Buckets, type BucketRate } from '../../../cluster/bounds/buckets.ts';

export interface SocketLimits {
  /** The most sockets of this node. They are among its connections, whose bound is above this one. */
  readonly sockets: number;
  /** The most of one network. A school or a company may be behind one address, so it is high. */
  readonly ofNetwork: number;
  /** The most that are open and not welcomed yet. */
  readonly waiting: number;
  /** How often one network may come: to take a page up again costs reads. All that it may have come at once when their edge dies. */
  readonly joins: BucketRate;
}

export const defaultSocketLimits: SocketLimits = {
  sockets: 100_000,
  ofNetwork: 10_000,
  waiting: 10_000,
  joins: { burst: 10_000, perSecond: 200, most: 50_000 },
};

export type Bound = 'sockets' | 'network' | 'waiting';

export class Admission {
  readonly #limits: SocketLimits;
  readonly #ofNetworks = new Map<string, number>();
  readonly #joins: Buckets;
  #open = 0;
  #waiting = 0;

  constructor(limits: SocketLimits) {
    this.#limits = limits;
    this.#joins = new Buckets(limits.joins);
  }

  get open(): number {
    return this.#open;
  }
  get waiting(): number {
    return this.#waiting;
  }

  /** The bound that one more socket would be over. */
  isOver(network: string): Bound | undefined {
    if (this.#open >= this.#limits.sockets) return 'sockets';
    if (this.#waiting >= this.#limits.waiting) return 'waiting';
    return (this.#ofNetworks.get(network) ?? 0) >= this.#limits.ofNetwork ? 'network' : undefined;
  }

  /** Takes a turn of the network to come. @returns 0, or in how many ms there is one */
  waitMs(network: string, nowMs: number): number {
    return this.#joins.take(network, nowMs);
  }

  opened(network: string): void {
    this.#open += 1;
    this.#waiting += 1;
    this.#ofNetworks.set(network, (this.#ofNetworks.get(network) ?? 0) + 1);
  }

  welcomed(): void {
    this.#waiting -= 1;
  }

  closed(network: string, wasWelcomed: boolean): void {
    this.#open -= 1;
    if (!wasWelcomed) this.#waiting -= 1;
    const left = (this.#ofNetworks.get(network) ?? 0) - 1;
    if (left > 0) this.#ofNetworks.set(network, left);
    else this.#ofNetworks.delete(network);
  }
}
