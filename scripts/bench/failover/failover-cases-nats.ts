/** Cases of `bench failover` in which NATS dies, and in which nodes come and go while there are many streams. */
import { setTimeout as delay } from 'node:timers/promises';
import { encoderOf, grow, settledSegments, viewerOf } from './failover-cases.ts';
import { ReconnectingEncoder } from './failover-encoder.ts';
import { watchHarm, type Figures } from './failover-harm.ts';
import { until, type BenchStream, type Rig } from './failover-rig.ts';

/** A commit is in time when it comes at most this much later than commits do without a fault. */
const inTimeMs = 500;
const streamCount = 6;
/** Long after any node has taken the streams that it would take (C2: 300 ms, and 700 ms more for each rank). */
const quietMs = 4000;

/** A fault of NATS that begins and ends. Resolves with the time at which it was mended. */
type NatsFault = (rig: Rig) => Promise<number>;

const oneServerDown =
  (forMs: number): NatsFault =>
  async ({ cluster }) => {
    const nats = cluster.regions[0]?.nats;
    if (nats === undefined) throw new Error('there is no nats-server');
    await nats.kill('SIGKILL');
    await delay(forMs);
    nats.start();
    return performance.now();
  };

/** Kills the leader and starts it again after 2 s, by when another server leads. */
const leaderDown: NatsFault = async ({ trio, connection }) => {
  if (trio === undefined) throw new Error('three servers are needed');
  const leader = await trio.leaderOf(connection, 'IDX-region-1');
  await leader.kill('SIGKILL');
  const atMs = performance.now();
  await delay(2000);
  leader.start();
  return atMs;
};

export const natsRestarted = (rig: Rig): AsyncGenerator<Figures> => natsFails(rig, oneServerDown(2000));
export const natsDown60 = (rig: Rig): AsyncGenerator<Figures> => natsFails(rig, oneServerDown(60_000));
export const natsLeaderKilled = (rig: Rig): AsyncGenerator<Figures> => natsFails(rig, leaderDown);

/** A stream with a single publisher continues through the fault. */
async function* natsFails(rig: Rig, fault: NatsFault): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  await using encoder = new ReconnectingEncoder(encoderOf(rig, stream), rig.nodes, rig.other());
  await using viewer = viewerOf(rig, stream);
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  for (;;) {
    const calmFrom = stream.log.seen.length;
    await grow(stream, viewer, 4);
    const calmMs = middle(stream.log.commitDelays(calmFrom).map(({ behindMs }) => behindMs));
    const from = stream.log.seen.length;
    const { connections } = encoder;
    const harm = watchHarm(stream, viewer);
    const atMs = performance.now();
    const mendedAtMs = await fault(rig);
    const isInTime = ({ behindMs }: { readonly behindMs: number }) => behindMs <= calmMs + inTimeMs;
    const since = () => stream.log.commitDelays(from).filter((one) => one.atMs > mendedAtMs);
    await until('the backlog is gone', () => since().some(isInTime));
    const commits = since();
    const first = commits.findIndex(isInTime);
    const lastLateAtMs = commits.slice(0, first).at(-1)?.atMs ?? mendedAtMs;
    await grow(stream, viewer, 4);
    await rig.mend();
    const { trio } = rig;
    if (trio !== undefined)
      await until('three servers are in step', () => trio.isWhole(rig.connection, 'IDX-region-1'));
    const found = harm();
    yield {
      ...found,
      backlogMs: lastLateAtMs - mendedAtMs,
      // Without a fault commits are 2 s apart, so the first one may come that much later.
      inTimeMs: (commits[first]?.atMs ?? Number.NaN) - mendedAtMs,
      reconnections: encoder.connections - connections,
      stallBeyondOutageMs: Math.max(0, (found['stallMs'] ?? Number.NaN) - (mendedAtMs - atMs)),
    };
  }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * Six streams on three nodes. The node that owns most of them gets SIGKILL, and exactly its streams move. It comes back as a new boot that
 * owns nothing, and no stream moves.
 */
export async function* nodesComeAndGo(rig: Rig): AsyncGenerator<Figures> {
  await using all = new AsyncDisposableStack();
  const streams: BenchStream[] = [];
  for (let index = 0; index < streamCount; index += 1) {
    const stream = all.use(await rig.addStream('source'));
    const node = rig.node(rig.nodes[index % rig.nodes.length]?.node);
    all.use(new ReconnectingEncoder(encoderOf(rig, stream), rig.nodes, node));
    streams.push(stream);
  }
  for (;;) {
    await growAll(streams);
    const victim = rig.node(busiestOf(streams));
    const own = streams.filter(({ log }) => log.owner === victim.node);
    const others = streams.filter((stream) => !own.includes(stream));
    const before = marksOf(streams);
    const atMs = performance.now();
    await victim.process.kill('SIGKILL');
    await until('its streams have new owners', () => own.every((stream) => opensOf(stream, before) > 0));
    await delay(quietMs);
    const effectiveMs = Math.max(
      ...own.map(({ log }) => (log.openSince(before.get(log.stream) ?? 0)?.atMs ?? NaN) - atMs),
    );
    const left = {
      ownStreams: own.length,
      movedTwice: own.filter((stream) => opensOf(stream, before) > 1).length,
      othersMoved: others.filter((stream) => opensOf(stream, before) > 0).length,
    };
    await growAll(streams);
    const joining = marksOf(streams);
    await rig.mend(victim);
    await delay(quietMs);
    await growAll(streams);
    yield {
      ...left,
      effectiveMs,
      movedByJoin: streams.filter((stream) => opensOf(stream, joining) > 0).length,
    };
  }
}

const marksOf = (streams: readonly BenchStream[]): ReadonlyMap<string, number> =>
  new Map(streams.map(({ id, log }) => [id, log.seen.length]));

const opensOf = ({ id, log }: BenchStream, marks: ReadonlyMap<string, number>): number =>
  log.seen.slice(marks.get(id) ?? 0).filter(({ entry }) => entry.record.kind === 'open').length;

function busiestOf(streams: readonly BenchStream[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { log } of streams)
    if (log.owner !== undefined) counts.set(log.owner, (counts.get(log.owner) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

async function growAll(streams: readonly BenchStream[]): Promise<void> {
  const wanted = streams.map(({ log }) => log.nextNumber + 2);
  await until('all streams grow', () =>
    streams.every(({ log }, index) => log.nextNumber >= (wanted[index] ?? 0)),
  );
}
