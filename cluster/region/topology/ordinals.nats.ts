/** Remembers in the region's bucket of members which region each ordinal was given to (R1). */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects } from '../../contract/subjects.ts';
import { TangazaError } from '../../errors/tangaza-error.ts';
import { RegionId } from '../../model/ids.ts';
import { openBucket } from '../../nats/bucket.nats.ts';
import type { Logger } from '../../observe/logger.ts';
import { ordinalFaults, withOrdinals, type KnownOrdinals } from './ordinals.ts';
import type { Topology } from './topology.ts';

export interface OrdinalOptions {
  readonly connection: NatsConnection;
  /** Whose bucket it is. */
  readonly region: RegionId;
  readonly replicas?: number;
  readonly logger: Logger;
}

const key = 'ordinals';
const Stored = z.record(z.string().regex(/^\d{1,2}$/), RegionId);
/** As many nodes may start at once and write the same. */
const mostTries = 20;

/**
 * Holds the topology against what the bucket remembers, and remembers what is new, unless there is a fault.
 *
 * @returns every fault, each as one sentence @throws TangazaError `LOG_UNAVAILABLE`
 */
export async function rememberOrdinals(
  topology: Topology,
  options: OrdinalOptions,
): Promise<readonly string[]> {
  const bucket = await openBucket(`${subjects.memberBucket}-${options.region}`, options);
  const what = 'which region each ordinal was given to';
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await bucket.get(what, key);
    const known = parse(kept?.text);
    const faults = ordinalFaults(topology, known);
    if (faults.length > 0 || topology.regions.every(({ ordinal }) => known.has(ordinal))) return faults;
    const text = JSON.stringify(Object.fromEntries(withOrdinals(known, topology)));
    const written = await bucket
      .put(what, { key, text, revision: kept?.revision ?? 0 })
      .catch((error: unknown) => {
        if (error instanceof TangazaError && error.code === 'CONFLICT') return undefined;
        throw error;
      });
    if (written !== undefined) return [];
  }
  throw new TangazaError('LOG_UNAVAILABLE', `${what}: others write it all the time`);
}

/** What cannot be read is written anew. */
function parse(text: string | undefined): KnownOrdinals {
  try {
    const stored = Stored.parse(JSON.parse(text ?? '{}'));
    return new Map(Object.entries(stored).map(([ordinal, id]) => [Number(ordinal), id]));
  } catch {
    return new Map();
  }
}
