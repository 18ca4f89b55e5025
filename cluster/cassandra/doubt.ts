/**
 * Whether the own data centre was away while this node could not see it: it stood still, or has only just started (A3, actors/comments/README.md).
 * Then that data centre may lack what the others took meanwhile, and nothing that it answers tells so. The other nodes of the region know:
 * until they have said that they do not do without it, the next data centre is asked first.
 *
 * Rejected: to wait for 30 s after each standstill, as most hide no failure, and the other data centre may lack something as well; to go by
 * what other nodes say at any time, as one late answer at one of them would send all of them elsewhere.
 */
import type { Clock } from '../time/clock.ts';
import type { Circuit } from './circuit.ts';

export interface OtherNodes {
  /** @returns the data centres that nodes of the region, this one among them, do without; undefined where nobody answers. It rejects never. */
  doWithout(): Promise<ReadonlySet<string> | undefined>;
}

const askEveryMs = 300;

interface DoubtPorts {
  readonly own: { readonly name: string; readonly circuit: Circuit };
  readonly others: OtherNodes;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Called when other nodes do without it. */
  readonly onAway: () => void;
}

export class Doubt {
  readonly #ports: DoubtPorts;

  constructor(ports: DoubtPorts) {
    this.#ports = ports;
  }

  /** Where it is known to have failed there is no doubt. */
  begin(nowMs: number): void {
    if (this.#ports.own.circuit.doubted(nowMs)) void this.#settle();
  }

  /** Where nobody answers, this node is cut off from NATS, and asks again until the 30 s of a data centre that recovers are over. */
  async #settle(): Promise<void> {
    const { own, others, clock, onAway } = this.#ports;
    while (own.circuit.isInDoubt) {
      const without = await others.doWithout();
      if (without?.has(own.name) === true) return onAway();
      if (without !== undefined) return own.circuit.vouched();
      await clock.sleep(askEveryMs);
    }
  }
}
