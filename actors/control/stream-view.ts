/** Describes a stream for the outside: its URLs follow from the caller's origin and the cluster's members. */
import type { Member } from '../../cluster/membership/member-directory.ts';
import type { StreamView } from '../../cluster/contract/api/control-views.ts';
import type { StreamEntry } from './stream-registry.ts';

/** @param ingestNodes in order of preference for this stream: first the primary, second the backup; only its home while it is on air elsewhere (R7) */
export function toStreamView(
  entry: StreamEntry,
  origin: string,
  ingestNodes: readonly Pick<Member, 'region' | 'rtmpUrl'>[],
): StreamView {
  const base = `${origin}/live/${entry.id}`;
  return {
    id: entry.id,
    title: entry.title,
    ladder: entry.ladder,
    createdAt: new Date(entry.createdAtMs).toISOString(),
    updatedAt: new Date(entry.updatedAtMs).toISOString(),
    ingest: ingestNodes.slice(0, 2).map(({ region, rtmpUrl }, index) => ({
      region,
      url: rtmpUrl,
      role: index === 0 ? 'primary' : 'backup',
    })),
    playback: { dash: `${base}/manifest.mpd`, hls: `${base}/main.m3u8`, page: `${origin}/watch/${entry.id}` },
  };
}
