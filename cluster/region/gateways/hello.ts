/**
 * The call with which a gateway asks another region twice a second whether the link works. The answer also proves that both regions are one
 * deployment, and tells that region's wall clock, its version of the topology and its own ordinal there (R1, R2).
 */
import { z } from 'zod';
import type { RegionCall } from '../../contract/regions/crossing.ts';
import { NodeId } from '../../model/ids.ts';
import { highestOrdinal } from '../topology/topology.ts';

/** The ordinal that the sender's file gives its own region (R1). Nodes of before do not tell it. */
const ownOrdinal = z.number().int().min(0).max(highestOrdinal).optional();
const HelloParams = z.object({
  nonce: z.string().min(16).max(64),
  topologyVersion: z.number().int().nonnegative(),
  ordinal: ownOrdinal,
});
const HelloAnswer = z.object({
  node: NodeId,
  proof: z.string().max(64),
  utcMs: z.number(),
  topologyVersion: z.number().int().nonnegative(),
  ordinal: ownOrdinal,
});
export type HelloAnswer = z.infer<typeof HelloAnswer>;

/** Two gateways of 63 regions ask twice a second. */
export const hello: RegionCall<z.infer<typeof HelloParams>, HelloAnswer> = {
  name: 'hello',
  params: HelloParams,
  result: HelloAnswer,
  maxBytes: 200,
  maxResultBytes: 400,
  perSecond: 500,
};

/** Wall clocks of two regions may differ by this much, as those of two nodes may (C6). */
export const maxSkewMs = 2000;
const keptSamples = 16;
const maxJumpMs = 250;

interface Sample {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

/**
 * How far the wall clock of another region is from ours. Of the last 16 answers the one with the shortest round trip counts: half of its
 * round trip bounds the error. When one of the clocks has jumped, what was measured before counts no more.
 */
export class RegionClock {
  #samples: readonly Sample[] = [];

  note(sentUtcMs: number, roundTripMs: number, theirUtcMs: number): void {
    const offsetMs = theirUtcMs - (sentUtcMs + roundTripMs / 2);
    const known = this.#best();
    const uncertainMs = (roundTripMs + (known?.roundTripMs ?? 0)) / 2;
    const hasJumped = known !== undefined && Math.abs(offsetMs - known.offsetMs) > maxJumpMs + uncertainMs;
    const kept = hasJumped ? [] : this.#samples.slice(-(keptSamples - 1));
    this.#samples = [...kept, { offsetMs, roundTripMs }];
  }

  /** Theirs minus ours, in ms; undefined before the first answer. */
  offsetMs(): number | undefined {
    const best = this.#best();
    return best === undefined ? undefined : Math.round(best.offsetMs);
  }

  #best(): Sample | undefined {
    return this.#samples.reduce<Sample | undefined>(
      (least, one) => (least === undefined || one.roundTripMs < least.roundTripMs ? one : least),
      undefined,
    );
  }
}
