/**
 * Makes epochs: fencing tokens, of which no two regions can ever make the same one (C5).
 *
 * `epoch = ((term * 64) + regionOrdinal) * 2^20 + n`, so epochs compare as (term, region, n). Within a region `n` grows. To rise above the
 * epoch of another region, a region begins a new term. Epochs are safe integers while term < 2^27.
 */
import { branchOf, epochsOfBranch as perRegion } from '../model/branch.ts';
import { Epoch } from '../model/ids.ts';

const regions = 64;
const maxTerm = 2 ** 27 - 1;

export interface EpochParts {
  readonly term: number;
  readonly regionOrdinal: number;
  readonly n: number;
}

export function composeEpoch({ term, regionOrdinal, n }: EpochParts): Epoch {
  if (!Number.isInteger(term) || term < 0 || term > maxTerm)
    throw new RangeError(`term ${term} is not in 0..${maxTerm}`);
  if (!Number.isInteger(regionOrdinal) || regionOrdinal < 0 || regionOrdinal >= regions)
    throw new RangeError(`region ordinal ${regionOrdinal} is not in 0..${regions - 1}`);
  if (!Number.isInteger(n) || n < 0 || n >= perRegion)
    throw new RangeError(`n ${n} is not in 0..${perRegion - 1}`);
  return Epoch.parse((term * regions + regionOrdinal) * perRegion + n);
}

export function splitEpoch(epoch: Epoch): EpochParts {
  const upper = branchOf(epoch);
  return { term: Math.floor(upper / regions), regionOrdinal: upper % regions, n: epoch % perRegion };
}

/**
 * Makes the epoch of a new owner in a region: it lies above every epoch that was seen.
 *
 * @param seen the epochs of the ownership record, the log's head, checkpoints and edges (C1); unknown ones are left out
 */
export function nextEpoch(seen: readonly (Epoch | undefined)[], regionOrdinal: number): Epoch {
  const highest = Math.max(0, ...seen.map((epoch) => epoch ?? 0));
  if (highest === 0) return composeEpoch({ term: 0, regionOrdinal, n: 1 });
  const parts = splitEpoch(Epoch.parse(highest));
  const mayCountOn = parts.regionOrdinal === regionOrdinal && parts.n + 1 < perRegion;
  return mayCountOn
    ? composeEpoch({ ...parts, n: parts.n + 1 })
    : composeEpoch({ term: parts.term + 1, regionOrdinal, n: 0 });
}
