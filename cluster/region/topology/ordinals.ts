/**
 * Decides whether a topology may give its regions these ordinals. An ordinal is part of every epoch of its region (C5), and of its periods'
 * ids: a second region with it would mint ids that are there already.
 */
import type { RegionId } from '../../model/ids.ts';
import type { Topology } from './topology.ts';
import { regionNamed } from '../../model/region-words.ts';

/** Which region had an ordinal, as this region's bucket remembers it. */
export type KnownOrdinals = ReadonlyMap<number, RegionId>;

/** @returns every fault, each as one sentence that says what to do */
export function ordinalFaults({ regions }: Topology, known: KnownOrdinals): readonly string[] {
  const ordinalOf = new Map([...known].map(([ordinal, id]) => [id, ordinal]));
  return regions.flatMap(({ id, ordinal }) => {
    const former = known.get(ordinal);
    const own = ordinalOf.get(id);
    return [
      ...(former === undefined || former === id
        ? []
        : [
            `ordinal ${ordinal} was that of ${regionNamed(former)}, and is never given to another one: give ${regionNamed(id)} one that no region ever had, ${firstFree(regions, known)} for example`,
          ]),
      ...(own === undefined || own === ordinal
        ? []
        : [
            `${regionNamed(id)} has always had ordinal ${own}, and keeps it: give it back in place of ${ordinal}`,
          ]),
    ];
  });
}

function firstFree(regions: Topology['regions'], known: KnownOrdinals): number {
  const taken = new Set([...known.keys(), ...regions.map(({ ordinal }) => ordinal)]);
  let free = 0;
  while (taken.has(free)) free += 1;
  return free;
}

/** What is remembered once the topology counts. */
export const withOrdinals = (known: KnownOrdinals, { regions }: Topology): KnownOrdinals =>
  new Map([...known, ...regions.map(({ ordinal, id }) => [ordinal, id] as const)]);
