/** Waits for what a live test cluster comes to; every wait has a bound. */
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import { ClusterView } from '../../../cluster/contract/api/control-views.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { controlClient } from './control-client.ts';
import { readIndexLog, type LogOfRegion, type TestCluster } from './demo.ts';
import { findingsOf, type LogFindings } from '../ports/log-findings.ts';
import { readPlaylist, waitForPlaylist, type Playlist } from '../media/playlists.ts';
import { waitFor } from '../wait.ts';

const withinMs = 60_000;
/** What a whole cluster comes to may take longer on a busy machine; less than a test's time-out. */
const ofCluster = { withinMs: 90_000, everyMs: 100 };

/** Of the lowest rung of what the tests publish. */
export const playlistPath = '/live/demo/h264-240p.m3u8';
export const playlistOf = (node: DemoNode): string => `${node.url}${playlistPath}`;

export const playing = (node: DemoNode): Promise<Playlist> =>
  waitForPlaylist(playlistOf(node), ({ segments }) => segments.length >= 2, withinMs);

export async function grownBy(node: DemoNode, segments: number): Promise<Playlist> {
  const { lastNumber } = await readPlaylist(playlistOf(node));
  return grownTo(node, lastNumber + segments);
}

/** Until the node's playlist has the segment of that number. */
export const grownTo = (node: DemoNode, number: number): Promise<Playlist> =>
  waitForPlaylist(playlistOf(node), ({ lastNumber }) => lastNumber >= number, withinMs);

export async function healthUntil(
  cluster: TestCluster,
  node: DemoNode,
  isWanted: (health: StreamHealth) => boolean,
): Promise<StreamHealth> {
  const client = controlClient(node.url, cluster.token);
  const what = `at ${node.node} the health is as wanted: ${isWanted.toString()}`;
  return waitFor(what, () => client.health('demo'), isWanted, ofCluster);
}

export async function allAlive(cluster: TestCluster, seenBy: DemoNode): Promise<void> {
  const client = controlClient(seenBy.url, cluster.token);
  const states = async (): Promise<readonly string[]> =>
    (await client.call('/v1/cluster', 200, ClusterView)).nodes.map(({ id, state }) => `${id} ${state}`);
  const areAll = (seen: readonly string[]): boolean =>
    seen.length === cluster.nodes.length && seen.every((state) => state.endsWith(' alive'));
  await waitFor(`at ${seenBy.node} all nodes are alive`, states, areAll, ofCluster);
}

/** The process that runs now as `node` is a live member; an earlier boot of it is not enough. */
export async function hasJoined(cluster: TestCluster, node: DemoNode, seenBy: DemoNode): Promise<void> {
  const client = controlClient(seenBy.url, cluster.token);
  await waitFor(
    `at ${seenBy.node} process ${node.process.pid} is the live member ${node.node}`,
    async () => (await client.call('/v1/cluster', 200, ClusterView)).nodes.find(({ id }) => id === node.node),
    (member) => member?.state === 'alive' && member.pid === node.process.pid,
    ofCluster,
  );
}

/** Whether exactly these nodes have a session that feeds the stream. */
export function isFedBy(health: StreamHealth, nodes: readonly DemoNode[]): boolean {
  const feeding = (health.sessions ?? []).flatMap(({ node, role }) =>
    role === 'active' ? [String(node)] : [],
  );
  return (
    feeding.toSorted().join() ===
    nodes
      .map(({ node }) => node)
      .toSorted()
      .join()
  );
}

/** The stream's index log, folded as an edge does. */
export async function foldOf(cluster: TestCluster): Promise<FoldedTimeline> {
  const entries = await readIndexLog(cluster.regions[0], cluster.stream.id);
  return entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
}

/**
 * The whole log, once it has decided on all that was offered: call it when the publisher is gone.
 *
 * @param region where to find its log; by default the one that the demo cluster has
 */
export async function decidedLog(
  cluster: TestCluster,
  seenBy: DemoNode,
  region: LogOfRegion | undefined = cluster.regions[0],
): Promise<readonly IndexEntry[]> {
  await healthUntil(cluster, seenBy, ({ sessions }) => sessions?.length === 0);
  let entries: readonly IndexEntry[] = [];
  const undecided = async (): Promise<number> => {
    entries = await readIndexLog(region, cluster.stream.id);
    return entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline()).pending.size;
  };
  await waitFor('the log has decided on all sources', undecided, (count) => count === 0, ofCluster);
  return entries;
}

/**
 * What nodes logged when they took another one for gone. It is lawful where that one stood still for over a second, as it says
 * itself: a machine that is busy does that to a process, and nobody can tell it from a death.
 */
export async function deathsIn(
  cluster: TestCluster,
): Promise<{ readonly lawful: readonly string[]; readonly unlawful: readonly string[] }> {
  const logs = await Promise.all(
    cluster.nodes.map(async ({ node }) => ({ node, text: await cluster.log(node) })),
  );
  const stoodStill = logs.filter(({ text }) => text.includes('"this process stood still"'));
  const deaths = logs.flatMap(({ text }) =>
    text.split('\n').filter((line) => line.includes('"a member is gone"')),
  );
  const isLawful = (line: string): boolean =>
    stoodStill.some(({ node }) => line.includes(`"member":"${node}"`));
  return { lawful: deaths.filter(isLawful), unlawful: deaths.filter((line) => !isLawful(line)) };
}

/** What must hold of a log in which nothing was lost: no gap, no hole, nothing twice, one period, no fence that leaked. */
export const nothingLost = {
  lost: 0,
  doubled: 0,
  discontinuities: 0,
  stale: 0,
  ignored: 0,
  clocks: 1,
  ends: 0,
  why: [] as readonly string[],
};

/** How often the stream was opened, and the rest to be held against `nothingLost`; `why` says what each gap was declared for. */
export function accountOf(entries: readonly IndexEntry[]): LogFindings & typeof nothingLost {
  const count = (wanted: string): number => entries.filter(({ record }) => record.kind === wanted).length;
  const { ignored } = entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const why = entries.flatMap(({ record }) =>
    record.kind === 'gap' ? [`${record.number} at ${record.start90k}: ${record.reason}`] : [],
  );
  return { ...findingsOf(entries, 0), ignored, clocks: count('clock'), ends: count('end'), why };
}

export const breaksIn = ({ segments }: Playlist) => ({
  gaps: segments.filter(({ isGap }) => isGap).length,
  discontinuities: segments.filter(({ isDiscontinuity }) => isDiscontinuity).length,
});
