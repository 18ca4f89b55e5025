/** Reads from the log and from a viewer what a fault of `bench failover` did to a stream. */
import type { Viewer } from './failover-player.ts';
import type { BenchStream } from './failover-rig.ts';

/** What one run measured, by name. An absent name could not be measured in that run. */
export type Figures = Readonly<Record<string, number>>;

/** How much the player has buffered when the fault comes; the targets are for such a player. */
const playerBufferMs = 8000;

/**
 * Marks where the stream and its viewer are, just before a fault. The returned function says what went wrong since then, as often as it is
 * called: `lost`, `doubled`, `discontinuities`, `stale` (records that the fold refused, or of an older epoch), `ownershipChanges`,
 * `absent`, `numberFaults`, `stallMs` of a player with 8 s of buffer, and `holdBackStallMs` of a player that stays as far behind as the
 * playlist asks (C8).
 */
export function watchHarm(stream: BenchStream, viewer: Viewer): () => Figures {
  const from = stream.log.seen.length;
  const { ignored } = stream.log.timeline;
  const { faults } = viewer;
  const atMs = performance.now();
  return () => {
    const { opens, stale, lost, doubled, discontinuities } = stream.log.findingsSince(from);
    return {
      lost,
      doubled,
      discontinuities,
      stale: Math.max(stale, stream.log.timeline.ignored - ignored),
      ownershipChanges: opens,
      absent: absentSince(stream, from),
      numberFaults: viewer.faults - faults,
      stallMs: viewer.stallSince(atMs, playerBufferMs),
      holdBackStallMs: viewer.stallSince(atMs, viewer.holdBackMs),
    };
  };
}

/** How many renditions segments lack since then, without those dropped on purpose. */
function absentSince(stream: BenchStream, index: number): number {
  return stream.log.seen.slice(index).flatMap(({ entry: { record } }) => {
    if (record.kind !== 'commit') return [];
    return Object.values(record.renditions).filter(
      (media) => 'absent' in media && media.absent !== 'dropped',
    );
  }).length;
}
