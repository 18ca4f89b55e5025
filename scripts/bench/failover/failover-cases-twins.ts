/** Cases of `bench failover` with dual ingest: one encoder publishes to two nodes, and one of them dies or freezes. */
import type { DemoNode } from '../../demo/site.ts';
import {
  deathOf,
  encoderOf,
  freezeOwner,
  grow,
  nextOwner,
  settledSegments,
  viewerOf,
} from './failover-cases.ts';
import { ReconnectingEncoder } from './failover-encoder.ts';
import { watchHarm, type Figures } from './failover-harm.ts';
import { until, type BenchStream, type Rig } from './failover-rig.ts';

/** A fault of one of the two nodes. Resolves with times, once the node was started again or thawed. */
type TwinFault = (rig: Rig, stream: BenchStream, points: readonly DemoNode[]) => Promise<Figures>;

/** SIGKILL to the owner, whether it has a publisher or not. */
const killOwner: TwinFault = async (rig, stream) => {
  const owner = rig.node(stream.log.owner);
  const from = stream.log.seen.length;
  const atMs = performance.now();
  await owner.process.kill('SIGKILL');
  const effectiveMs = (await nextOwner(stream, from)) - atMs;
  return { ...(await startOnceDead(rig, owner, atMs)), effectiveMs };
};

const freeze: TwinFault = (rig, stream) => freezeOwner(rig, stream, rig.node(stream.log.owner));

/** SIGKILL to a node that has a publisher and does not own the stream. */
const killOther: TwinFault = async (rig, stream, points) => {
  const victim = points.find(({ node }) => node !== stream.log.owner);
  if (victim === undefined) throw new Error('two points are needed');
  const from = stream.log.seen.length;
  const atMs = performance.now();
  await victim.process.kill('SIGKILL');
  const commit = () => stream.log.commitDelays(from)[0];
  await until('a segment is committed after it', () => commit() !== undefined);
  const nextCommitMs = (commit()?.atMs ?? Number.NaN) - atMs;
  return { ...(await startOnceDead(rig, victim, atMs)), nextCommitMs };
};

async function startOnceDead(rig: Rig, victim: DemoNode, atMs: number): Promise<Figures> {
  await until('the death is known', () => rig.deathSince(victim.node, atMs) !== undefined);
  victim.process.start();
  return deathOf(rig, victim.node, atMs);
}

export const twinOwnerKilled = (rig: Rig): AsyncGenerator<Figures> => twinsSuffer(rig, killOwner);
export const twinOwnerFrozen = (rig: Rig): AsyncGenerator<Figures> => twinsSuffer(rig, freeze);
export const twinOtherKilled = (rig: Rig): AsyncGenerator<Figures> => twinsSuffer(rig, killOther);

/** A run ends when both ingests feed again, as what a returning twin breaks counts too. */
async function* twinsSuffer(rig: Rig, fault: TwinFault): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  const encoder = encoderOf(rig, stream);
  const points = rig.nodes.slice(0, 2);
  await using connections = new AsyncDisposableStack();
  for (const point of points)
    connections.use(new ReconnectingEncoder(encoder, [point], point, { joins: 'anywhere' }));
  await using viewer = viewerOf(rig, stream);
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  const bothFeed = () => until('both are fed as twins', async () => (await rig.feeders(stream)) === 2);
  await bothFeed();
  for (;;) {
    // Two deaths must be more than 10 s apart, or the brake would hold the second one (C3).
    await grow(stream, viewer);
    const harm = watchHarm(stream, viewer);
    const times = await fault(rig, stream, points);
    await rig.mend();
    await bothFeed();
    await grow(stream, viewer);
    yield { ...times, ...harm() };
  }
}
