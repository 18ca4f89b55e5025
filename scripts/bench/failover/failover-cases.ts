/** Cases of `bench failover` in which nodes die, freeze and come back. Each case is a generator that never ends of runs. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DemoNode } from '../../demo/site.ts';
import { Encoder, ReconnectingEncoder } from './failover-encoder.ts';
import { watchHarm, type Figures } from './failover-harm.ts';
import { Viewer } from './failover-player.ts';
import { until, type BenchStream, type Rig } from './failover-rig.ts';

const lowest = 'h264-240p';
export const settledSegments = 3;

export function encoderOf(rig: Rig, stream: BenchStream): Encoder {
  return new Encoder(rig.options.feed, stream.key);
}

export function viewerOf(rig: Rig, stream: BenchStream): Viewer {
  const edges = rig.nodes.map(({ url }) => url);
  return new Viewer(edges, `/live/${stream.id}/${lowest}.m3u8`);
}

/** Waits for that many more segments, in the log and in the viewer's playlist. */
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
 * The node that owns the stream and has its only publisher gets SIGKILL. The encoder begins again at another node after 1 s. Then it moves
 * to the owner, so that the next run has the same start.
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
    const harm = watchHarm(stream, viewer);
    const atMs = performance.now();
    await owner.process.kill('SIGKILL');
    const effectiveMs = (await nextOwner(stream, from)) - atMs;
    const periods = stream.log.timeline.nextOrdinal;
    await until('the encoder is back in the log', () => stream.log.timeline.nextOrdinal > periods);
    await grow(stream, viewer);
    const declaredDead = deathOf(rig, owner.node, atMs);
    await rig.mend(owner);
    yield { ...declaredDead, effectiveMs, ...harm() };
  }
}

/** How long until the death stood in the membership view; nothing for a node that was not declared dead. */
export function deathOf(rig: Rig, node: string, atMs: number): Figures {
  const deadAtMs = rig.deathSince(node, atMs);
  return deadAtMs === undefined ? {} : { declaredDeadMs: deadAtMs - atMs };
}

/**
 * The owner is frozen until 1 s after another owner is effective, and then thaws. In one run it has the publisher's socket, in the next
 * another node has it. In the latter case the successor is never the encoder's node at first, and the encoder's node follows.
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
    const harm = watchHarm(stream, viewer);
    const times = await freezeOwner(rig, stream, owner);
    await rig.mend();
    await grow(stream, viewer);
    yield { ...times, hasEncoder, ...harm() };
  }
}

/** SIGSTOP until 1 s after another owner is effective, then SIGCONT. */
export async function freezeOwner(rig: Rig, stream: BenchStream, owner: DemoNode): Promise<Figures> {
  const from = stream.log.seen.length;
  const { pid } = owner.process;
  if (pid === undefined) throw new Error(`${owner.node} does not run`);
  const atMs = performance.now();
  process.kill(pid, 'SIGSTOP');
  try {
    const effectiveMs = (await nextOwner(stream, from)) - atMs;
    await delay(1000);
    return { ...deathOf(rig, owner.node, atMs), effectiveMs };
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/**
 * A node that neither owns the stream nor has its publisher gets SIGKILL while its ffmpeg encodes a segment of the stream. Nothing is
 * measured when that task has no second attempt, as its output was stored before the end.
 */
export async function* workerKilled(rig: Rig): AsyncGenerator<Figures | undefined> {
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
    const harm = watchHarm(stream, viewer);
    const task = rig.tasks.at(-1);
    const atMs = performance.now();
    await rig.node(victim).process.kill('SIGKILL');
    await until('the worker is declared dead', () => rig.deathSince(victim, atMs) !== undefined);
    await grow(stream, viewer, 4);
    const again = rig.tasks.find((one) => one.taskId === task?.taskId && one.attempt > task.attempt);
    const declaredDead = deathOf(rig, victim, atMs);
    await rig.mend(rig.node(victim));
    if (again === undefined) {
      yield undefined;
      continue;
    }
    const sinceKillMs = again.atMs - atMs;
    const redispatchMs = Math.max(0, sinceKillMs - (declaredDead['declaredDeadMs'] ?? Number.NaN));
    yield { ...declaredDead, redispatchMs, sinceKillMs, ...harm() };
  }
}

/** Waits until one of them encodes. An attempt has a folder while it runs, and its start is reported by then. */
async function busyOne(rig: Rig, names: readonly string[]): Promise<string> {
  const isBusy = async (name: string): Promise<boolean> => {
    const files = await readdir(join(rig.options.dataDir, 'region-1', 'tmp', name)).catch(() => []);
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
