/** Waits for what a live test cluster comes to; every wait is bounded by the test's time-out, or by its own. */
import type { Timeline } from '../../actors/media/timeline/timeline.ts';
import { applyEntry, emptyTimeline } from '../../actors/media/timeline/fold.ts';
import type { StreamHealth } from '../../cluster/contract/stream.ts';
import { ClusterView } from '../../cluster/contract/streams.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../scripts/demo/demo-cluster.ts';
import { controlClient } from './control-client.ts';
import { readIndexLog, type TestCluster } from './demo.ts';
import { readPlaylist, waitForPlaylist, type Playlist } from './playlists.ts';

const withinMs = 60_000;

/** Of the lowest rung of what the tests publish. */
export const playlistOf = (node: DemoNode): string => `${node.url}/live/demo/h264-240p.m3u8`;

export const playing = (node: DemoNode): Promise<Playlist> =>
  waitForPlaylist(playlistOf(node), ({ segments }) => segments.length >= 2, withinMs);

export async function grownBy(node: DemoNode, segments: number): Promise<Playlist> {
  const { lastNumber } = await readPlaylist(playlistOf(node));
  return waitForPlaylist(playlistOf(node), (now) => now.lastNumber >= lastNumber + segments, withinMs);
}

export async function healthUntil(
  cluster: TestCluster,
  node: DemoNode,
  isWanted: (health: StreamHealth) => boolean,
): Promise<StreamHealth> {
  const client = controlClient(node.url, cluster.token);
  for (;;) {
    const health = await client.health('demo').catch(() => undefined);
    if (health !== undefined && isWanted(health)) return health;
    await systemClock.sleep(100);
  }
}

export async function allAlive(cluster: TestCluster, seenBy: DemoNode): Promise<void> {
  const client = controlClient(seenBy.url, cluster.token);
  for (;;) {
    const view = await client.call('/v1/cluster', 200, ClusterView).catch(() => undefined);
    const states = (view?.nodes ?? []).map(({ state }) => state);
    if (states.length === cluster.nodes.length && states.every((state) => state === 'alive')) return;
    await systemClock.sleep(100);
  }
}

/** The stream's index log, folded as an edge does. */
export async function foldOf(cluster: TestCluster): Promise<Timeline> {
  const entries = await readIndexLog(cluster.regions[0], cluster.stream.id);
  return entries.reduce<Timeline>(applyEntry, emptyTimeline());
}

export const breaksIn = ({ segments }: Playlist) => ({
  gaps: segments.filter(({ isGap }) => isGap).length,
  discontinuities: segments.filter(({ isDiscontinuity }) => isDiscontinuity).length,
});
