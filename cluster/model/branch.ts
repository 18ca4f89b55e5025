/**
 * Branches: what the owners of one region write in one term (C5).
 *
 * An epoch is made of term, region and a count. Its upper part stays the same while the stream stays in a region, and grows with each
 * change of region. So two owners with an equal upper part number their segments in one row, and others may not.
 */
import type { Epoch } from './ids.ts';

/** How many epochs a region has in a term. */
export const epochsOfBranch = 2 ** 20;
const regions = 64;
/** How many period ids a branch has: more than a region's log ever holds records (M1). */
const periodsOfBranch = 2 ** 36;
/** With this term and all later ones, ids of periods would be no safe integers any more (M1). */
export const termsWithPeriods = 2 ** 11;

export const branchOf = (epoch: Epoch): number => Math.floor(epoch / epochsOfBranch);

export const termOf = (epoch: Epoch): number => Math.floor(branchOf(epoch) / regions);

/** The ordinal of the region whose owner has this epoch. */
export const ordinalOfEpoch = (epoch: Epoch): number => branchOf(epoch) % regions;

/** Every period that an owner of this epoch opens has a higher id, and none of an earlier branch has (M1). */
export const periodsAbove = (epoch: Epoch): number => branchOf(epoch) * periodsOfBranch;

/** What limits the ids of periods: the places in a region's log, and the terms of its streams. */
export interface PeriodIdsUsed {
  /** The sequence of the newest record in the region's log, of any stream. */
  readonly lastSequence: number;
  /** The highest epoch that a stream of this region has. */
  readonly highestEpoch: Epoch;
}

/** A sentence for operators once half of all ids of periods are used up; undefined before (M1). */
export function periodIdsWarning({ lastSequence, highestEpoch }: PeriodIdsUsed): string | undefined {
  if (lastSequence >= periodsOfBranch / 2)
    return `The index log has had ${lastSequence} records of ${periodsOfBranch} that it can ever have. Plan a new region id for these nodes.`;
  const term = termOf(highestEpoch);
  if (term >= termsWithPeriods / 2)
    return `A stream has changed its region ${term} times of ${termsWithPeriods} that it can. Give it a new id.`;
  return undefined;
}
