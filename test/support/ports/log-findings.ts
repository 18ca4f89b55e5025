/** What an index log says happened to a stream: who owned it, and what became of its segments. */
import type { CommitRecord, GapRecord, IndexEntry } from '../../../cluster/contract/index-records.ts';

export interface LogFindings {
  /** Ownerships that became effective. */
  readonly opens: number;
  /** Gaps, holes in a period's timeline, and logged sources that were passed over. */
  readonly lost: number;
  /** Segments that overlap the one before, or take its number. */
  readonly doubled: number;
  readonly discontinuities: number;
  /** Records of an epoch below one that was open already: a fence that leaks. */
  readonly stale: number;
}

/** Ticks of 1/90,000 s that two borders may differ by (M2). */
const tolerance90k = 180;

/** What happened from that entry on; the segment before it is where continuity begins. */
export function findingsOf(entries: readonly IndexEntry[], fromIndex: number): LogFindings {
  const later = entries.slice(fromIndex);
  const placed = entries.map(({ record }) => record).filter(isPlaced);
  const laterCount = later.filter(({ record }) => isPlaced(record)).length;
  const borders = placed.slice(Math.max(0, placed.length - laterCount - 1));
  const pairs = borders.slice(1).flatMap((now, index) => {
    const before = borders[index];
    return before === undefined ? [] : [{ before, now }];
  });
  const joined = pairs.filter(({ before, now }) => before.period === now.period);
  const distance = ({ before, now }: (typeof pairs)[number]): number =>
    now.start90k - before.start90k - before.duration90k;
  const gaps = later.filter(({ record }) => record.kind === 'gap').length;
  const holes = joined.filter((pair) => distance(pair) > tolerance90k).length;
  const overlaps = joined.filter((pair) => distance(pair) < -tolerance90k).length;
  const renumbered = pairs.filter(({ before, now }) => now.number !== before.number + 1).length;
  return {
    opens: later.filter(({ record }) => record.kind === 'open').length,
    lost: gaps + holes + passedOver(entries, fromIndex),
    doubled: overlaps + renumbered,
    discontinuities: pairs.length - joined.length,
    stale: staleIn(entries, fromIndex),
  };
}

function isPlaced(record: IndexEntry['record']): record is CommitRecord | GapRecord {
  return record.kind === 'commit' || record.kind === 'gap';
}

/** Sources in the log that a segment from that entry on went past without them. */
function passedOver(entries: readonly IndexEntry[], fromIndex: number): number {
  const waiting = new Map<string, { readonly period: number; readonly start90k: number }>();
  let lost = 0;
  for (const [index, { record }] of entries.entries()) {
    if (record.kind === 'source') waiting.set(`${record.period}/${record.start90k}`, record);
    if (!isPlaced(record)) continue;
    waiting.delete(`${record.period}/${record.start90k}`);
    for (const [key, { period, start90k }] of waiting) {
      const isPassed = period < record.period || (period === record.period && start90k < record.start90k);
      if (!isPassed) continue;
      waiting.delete(key);
      if (index >= fromIndex) lost += 1;
    }
  }
  return lost;
}

function staleIn(entries: readonly IndexEntry[], fromIndex: number): number {
  let epoch = 0;
  let stale = 0;
  for (const [index, { record }] of entries.entries()) {
    if (index >= fromIndex && record.epoch < epoch) stale += 1;
    epoch = Math.max(epoch, record.epoch);
  }
  return stale;
}
