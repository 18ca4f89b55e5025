/** What a fault of `bench failover` did to a stream: read out of the log and off a viewer, from just before it on. */
import type { Viewer } from './failover-player.ts';
import type { BenchStream } from './failover-rig.ts';

/** What one run measured, by name; a name that is missing was not to be seen in it. */
export type Figures = Readonly<Record<string, number>>;

/** What the targets' players have in their buffer when the fault comes. */
const playerBufferMs = 8000;

/**
 * Marks where the stream and its viewer are, just before a fault. The result tells what was amiss since then, as often
 * as it is asked: `lost`, `doubled`, `discontinuities`, `stale` (records that the fold refused, or of an older epoch),
 * `ownershipChanges`, `absent`, `numberFaults`, `stallMs` of a player with 8 s of buffer, and `holdBackStallMs` of
 * one that is as far behind as the playlist asks (C8).
 */
export function watchHarm(stream: BenchStream, viewer: Viewer): () => Figures {
  const from = stream.log.seen.length;
  const { ignored } = stream.log.timeline;
  const { faults } = viewer;
  const atMs = performance.now();
  return () => {
    const { opens, stale, lost, doubled, discontinuities } = stream.log.findingsSince(from);
    return {
      ...{ lost, doubled, discontinuities },
      stale: Math.max(stale, stream.log.timeline.ignored - ignored),
      ownershipChanges: opens,
      absent: absentSince(stream, from),
      numberFaults: viewer.faults - faults,
      stallMs: viewer.stallSince(atMs, playerBufferMs),
      holdBackStallMs: viewer.stallSince(atMs, viewer.holdBackMs),
    };
  };
}

/** Renditions that segments lack since then, and that are not dropped on purpose. */
function absentSince(stream: BenchStream, index: number): number {
  return stream.log.seen.slice(index).flatMap(({ entry: { record } }) => {
    if (record.kind !== 'commit') return [];
    return Object.values(record.renditions).filter(
      (media) => 'absent' in media && media.absent !== 'dropped',
    );
  }).length;
}
