/** Relays one log into another as a relayer would, for tests of the fold: each record with its place at home, if it changes anything. */
import { applyEntry, changesFold, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import {
  periodOpenedBy,
  type IndexEntry,
  type IndexRecord,
} from '../../../cluster/contract/index-records.ts';
import { composeEpoch } from '../../../cluster/ownership/epoch.ts';
import { region } from './records.ts';

/** The epoch of the first owner of a region's branch. */
export const epochOf = (term: number, regionOrdinal: number): number =>
  composeEpoch({ term, regionOrdinal, n: 1 });

export function relayedRecord({ sequence, record }: IndexEntry): IndexRecord {
  const home = { region, sequence, recordId: record.recordId };
  if (record.kind === 'clock') return { ...record, home, period: periodOpenedBy(record, sequence) };
  return { ...record, home };
}

/** @returns the log with what the home's entries add to it */
export function relayInto(own: readonly IndexEntry[], home: readonly IndexEntry[]): readonly IndexEntry[] {
  let timeline = own.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const entries = [...own];
  for (const entry of home) {
    const record = relayedRecord(entry);
    if (!changesFold(timeline, record)) continue;
    const relayed = { sequence: timeline.lastSequence + 1, record };
    entries.push(relayed);
    timeline = applyEntry(timeline, relayed);
  }
  return entries;
}
