/** Cases of `bench failover` in which nodes die, freeze and come back. Each is a generator of runs that never ends. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Encoder, ReconnectingEncoder } from './failover-encoder.ts';
import { Viewer } from './failover-player.ts';
import { until, type BenchStream, type Rig } from './failover-rig.ts';

/** What one run measured, by name; a name that is missing was not to be seen in it. */
export type Figures = Readonly<Record<string, number>>;

export const lowest = 'h264-240p';
export const playerBufferMs = 8000;
const settledSegments = 3;

export function encoderOf(rig: Rig, stream: BenchStream): Encoder {
  return new Encoder(rig.options.feed, stream.key);
}

export function viewerOf(rig: Rig, stream: BenchStream): Viewer {
  const edges = rig.nodes.map(({ url }) => url);
  return new Viewer(edges, `/live/${stream.id}/${lowest}.m3u8`);
}

/** Waits for so many segments more, in the log and in the viewer's playlist. */
export async function grow(
  stream: BenchStream,
  viewer: Viewer,
  segments: number = settledSegments,
): Promise<void> {
  const wanted = stream.log.nextNumber + segments;
  await until(`${stream.id} grows`, () => stream.log.nextNumber >= wanted);
  await until(`the viewer of ${stream.id} sees it`, () => viewer.lastNumber >= wanted - 1);
}

export async function nextOwner(stream: BenchStream, sinceIndex: number): Promise<number> {
  await until(`${stream.id} has a new owner`, () => stream.log.openSince(sinceIndex) !== undefined);
  return stream.log.openSince(sinceIndex)?.atMs ?? Number.NaN;
}

/**
 * The node that owns the stream and has its only publisher gets SIGKILL; the encoder begins again elsewhere after 1 s.
 * Afterwards it moves to the owner, so that the next run is the same.
 */
export async function* ownerKilled(rig: Rig): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  await using encoder = new ReconnectingEncoder(encoderOf(rig, stream), rig.nodes, rig.other());
  await using viewer = viewerOf(rig, stream);
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  for (;;) {
    const owner = rig.node(stream.log.owner);
    if (encoder.node !== owner) encoder.moveTo(owner);
    await until('the encoder publishes at the owner', () => encoder.node === owner);
    await grow(stream, viewer, 4);
    const from = stream.log.seen.length;
    const faults = viewer.faults;
    const ignored = stream.log.timeline.ignored;
    const atMs = performance.now();
    await owner.process.kill('SIGKILL');
    const effectiveMs = (await nextOwner(stream, from)) - atMs;
    const periods = stream.log.timeline.nextOrdinal;
    await until('the encoder is back in the log', () => stream.log.timeline.nextOrdinal > periods);
    await grow(stream, viewer);
    const { opens, lost, doubled, discontinuities } = stream.log.findingsSince(from);
    yield {
      ...deathOf(rig, owner.node, atMs),
      ...{ effectiveMs, opens, lost, doubled, discontinuities },
      numberFaults: viewer.faults - faults,
      ignored: stream.log.timeline.ignored - ignored,
      stallMs: viewer.stallSince(atMs, playerBufferMs),
    };
    await rig.mend(owner);
  }
}

/** How long until the death was in the membership view; of a node that was not declared dead, nothing. */
function deathOf(rig: Rig, node: string, atMs: number): Figures {
  const deadAtMs = rig.deathSince(node, atMs);
  return deadAtMs === undefined ? {} : { declaredDeadMs: deadAtMs - atMs };
}

/**
 * The owner is frozen until 1 s after another one is effective, and thaws. In turns it has the publisher's socket, and
 * another node has it: the owner that is adopted is never where the encoder is, and then the encoder's node follows.
 */
export async function* ownerFrozen(rig: Rig): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  await using encoder = new ReconnectingEncoder(encoderOf(rig, stream), rig.nodes, rig.other());
  await using viewer = viewerOf(rig, stream);
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  for (;;) {
    await grow(stream, viewer);
    const owner = rig.node(stream.log.owner);
    const hasEncoder = encoder.node === owner ? 1 : 0;
    const from = stream.log.seen.length;
    const ignored = stream.log.timeline.ignored;
    const pid = owner.process.pid ?? 0;
    const atMs = performance.now();
    process.kill(pid, 'SIGSTOP');
    let effectiveMs = Number.NaN;
    try {
      effectiveMs = (await nextOwner(stream, from)) - atMs;
      await delay(1000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await rig.mend();
    await grow(stream, viewer);
    const { lost, doubled, stale, discontinuities } = stream.log.findingsSince(from);
    yield {
      ...deathOf(rig, owner.node, atMs),
      ...{ effectiveMs, hasEncoder, lost, doubled, discontinuities },
      staleAccepted: stale + stream.log.timeline.ignored - ignored,
    };
  }
}

/** A node that neither owns nor ingests gets SIGKILL while its ffmpeg encodes a segment of the stream. */
export async function* workerKilled(rig: Rig): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  await using encoder = new ReconnectingEncoder(encoderOf(rig, stream), rig.nodes, rig.other());
  await using viewer = viewerOf(rig, stream);
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  for (;;) {
    await grow(stream, viewer, 2);
    const owner = stream.log.owner;
    const workers = rig.nodes.filter((node) => node.node !== owner && node !== encoder.node);
    const victim = await busyOne(
      rig,
      workers.map(({ node }) => node),
    );
    const from = stream.log.seen.length;
    const ignored = stream.log.timeline.ignored;
    const task = rig.tasks.at(-1);
    const atMs = performance.now();
    await rig.node(victim).process.kill('SIGKILL');
    await until('the worker is declared dead', () => rig.deathSince(victim, atMs) !== undefined);
    await grow(stream, viewer, 4);
    const again = rig.tasks.find((one) => one.taskId === task?.taskId && one.attempt > task.attempt);
    const { lost, doubled, opens } = stream.log.findingsSince(from);
    const absent = absentSince(stream, from);
    const doubles = doubled + stream.log.timeline.ignored - ignored;
    // Without a second attempt its output was stored before the end: nothing was to be done again, and nothing is measured.
    if (again !== undefined) {
      const verdictMs = (rig.deathSince(victim, atMs) ?? Number.NaN) - atMs;
      yield {
        declaredDeadMs: verdictMs,
        redispatchMs: Math.max(0, again.atMs - atMs - verdictMs),
        sinceKillMs: again.atMs - atMs,
        ...{ lost, doubled: doubles, absent, ownershipChanges: opens },
        stallMs: viewer.stallSince(atMs, playerBufferMs),
      };
    }
    await rig.mend(rig.node(victim));
  }
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

/** Waits until one of them encodes: an attempt has a folder while it runs; its start is told by then. */
async function busyOne(rig: Rig, names: readonly string[]): Promise<string> {
  const isBusy = async (name: string): Promise<boolean> => {
    const files = await readdir(join(rig.dataDir, 'region-1', 'tmp', name)).catch(() => []);
    return files.some((file) => file.startsWith('attempt-'));
  };
  for (let looks = 0; looks < 20_000; looks += 1) {
    for (const name of names) {
      if (!(await isBusy(name))) continue;
      await delay(40);
      if (await isBusy(name)) return name;
    }
    await delay(5);
  }
  throw new Error(`none of ${names.join(', ')} encodes anything`);
}

/** One encoder publishes to two nodes; in turns the owner and the other of the two get SIGKILL. */
export async function* twinKilled(rig: Rig): AsyncGenerator<Figures> {
  await using stream = await rig.addStream('default');
  const encoder = encoderOf(rig, stream);
  await using viewer = viewerOf(rig, stream);
  await using connections = new AsyncDisposableStack();
  const points = rig.nodes.slice(0, 2);
  for (const point of points) connections.use(await encoder.connect(point));
  await until('the stream begins', () => stream.log.nextNumber >= settledSegments);
  for (let run = 0; ; run += 1) {
    await until('both are fed as twins', async () => (await rig.feeders(stream)) === 2);
    await grow(stream, viewer);
    const owner = rig.node(stream.log.owner);
    const victim = run % 2 === 0 && points.includes(owner) ? owner : points.find((point) => point !== owner);
    if (victim === undefined) throw new Error('two points are needed');
    const from = stream.log.seen.length;
    const faults = viewer.faults;
    const ignored = stream.log.timeline.ignored;
    const atMs = performance.now();
    await victim.process.kill('SIGKILL');
    const effectiveMs = victim === owner ? { effectiveMs: (await nextOwner(stream, from)) - atMs } : {};
    await until('the death is known', () => rig.deathSince(victim.node, atMs) !== undefined);
    await grow(stream, viewer, 4);
    const { lost, doubled, discontinuities } = stream.log.findingsSince(from);
    yield {
      ...effectiveMs,
      ...{ missing: lost + viewer.faults - faults, doubled: doubled + stream.log.timeline.ignored - ignored },
      discontinuities,
      stallMs: viewer.stallSince(atMs, playerBufferMs),
    };
    await rig.mend(victim);
    connections.use(await encoder.connect(victim));
  }
}
