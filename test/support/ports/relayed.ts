/** Relays one log into another as a relayer would, for tests of the fold: each record with its place at home, if it changes anything. */
import { snapshotOf } from '../../../actors/media/timeline/bounded-snapshot.ts';
import { applyEntry, changesFold, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { relayedRecord } from '../../../actors/stream/relay/relay-steps.ts';
import type { HomePlace, IndexEntry } from '../../../cluster/contract/index-records.ts';
import { composeEpoch } from '../../../cluster/ownership/epoch.ts';
import { region } from './records.ts';

/** The epoch of the first owner of a region's branch. */
export const epochOf = (term: number, regionOrdinal: number): number =>
  composeEpoch({ term, regionOrdinal, n: 1 });

/** The place of an entry in the home's log. */
export const placeOf = ({ sequence, record: { recordId } }: IndexEntry): HomePlace => ({
  region,
  sequence,
  recordId,
});

/** All of the home's entries as one relayed snapshot, as a relayer writes a long backlog. */
export function relayedAtOnce(home: readonly IndexEntry[]): IndexEntry {
  const timeline = home.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const last = home.at(-1);
  if (last === undefined) throw new RangeError('a backlog has at least one record');
  const { epoch, node, region: author, bootId, recordId, atMs } = last.record;
  const by = { epoch, node, region: author, bootId, recordId, atMs, home: placeOf(last) };
  return { sequence: 1, record: { kind: 'snapshot', ...by, ...snapshotOf(timeline, timeline.firstNumber) } };
}

/** @returns the log with what the home's entries add to it */
export function relayInto(own: readonly IndexEntry[], home: readonly IndexEntry[]): readonly IndexEntry[] {
  let timeline = own.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const entries = [...own];
  for (const entry of home) {
    const record = relayedRecord(timeline, entry, placeOf(entry));
    if (!changesFold(timeline, record)) continue;
    const relayed = { sequence: timeline.lastSequence + 1, record };
    entries.push(relayed);
    timeline = applyEntry(timeline, relayed);
  }
  return entries;
}

/** The records of a log from a place on, or from its newest snapshot on: all where it has none. */
export const entriesFrom = (
  entries: readonly IndexEntry[],
  from: number | 'snapshot',
): readonly IndexEntry[] =>
  from === 'snapshot'
    ? entries.slice(
        Math.max(
          0,
          entries.findLastIndex(({ record }) => record.kind === 'snapshot'),
        ),
      )
    : entries.filter(({ sequence }) => sequence >= from);
