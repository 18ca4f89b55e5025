/**
 * Benchmark of the edge: how many segments and manifests of a live stream one core serves, compared with a bare uWebSockets.js. That
 * reference writes the same headers as one block, and then calls `end(buffer)`. Target: at least 0.90 of it for each reply. Reported beside
 * it: nginx with the same bytes as static files from memory, and the front of `config/front/` with a full cache compared with that nginx.
 *
 * The ratio to nginx depends more on the machine than on our code, so it is not judged. Nginx copies nothing (`sendfile`); the library
 * copies each byte into its socket once, and the cost of that differs between processors by half.
 *
 * The servers run on core 0 and the load on core 1. Each server is one process, with files on tmpfs and without an access log. All of them
 * run all the time and are measured in turns of a second. The order changes with each round, so that other work on the machine affects all
 * of them. A disturbed round is measured again. The figure is requests per CPU second of the server (user + system, from `/proc`). A ratio
 * is the median of the ratios of the rounds.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  copyReplies,
  findTool,
  startBare,
  startEdge,
  startFront,
  startNginx,
  type Asked,
  type Server,
} from './edge-peers.ts';
import { load } from './http-load.ts';

export interface EdgeBenchOptions {
  /** Rounds for each case. By default 12. */
  readonly rounds?: number;
  /** The length of one turn. By default 1 s. */
  readonly seconds?: number;
  readonly progress?: (line: string) => void;
}

export interface Turn {
  readonly requests: number;
  readonly perSecond: number;
  /** Requests per second of the server's CPU time. */
  readonly perCpuSecond: number;
  /** The share of its core that the server used. */
  readonly busy: number;
  /** The share of the time in which the server was ready and waited for its core, as the machine did something else. */
  readonly waited: number;
}

export const sides = ['edge', 'bare', 'nginx', 'front'] as const;
export type Side = (typeof sides)[number];
export type Round = Readonly<Record<Side, Turn>>;

export interface EdgeBenchCase {
  readonly name: string;
  readonly bytes: number;
  /** Edge / bare library. This ratio is judged. */
  readonly ofBare: number;
  /** Edge / nginx. */
  readonly ofNginx: number;
  /** Front / nginx. */
  readonly frontOfNginx: number;
  readonly isReached: boolean;
  readonly rounds: readonly Round[];
}

export interface EdgeBenchResult {
  readonly generator: 'wrk' | 'node';
  readonly connections: number;
  readonly target: number;
  readonly isReached: boolean;
  readonly cases: readonly EdgeBenchCase[];
}

const connections = 32;
const target = 0.9;
/** A round in which a server waited for a larger share is measured again, at most a few times for each round. */
const maxWaited = 0.1;
const maxTries = 4;

/** @throws Error when a reply is not a good one */
export async function benchEdge({
  rounds = 12,
  seconds = 1,
  progress = () => {},
}: EdgeBenchOptions = {}): Promise<EdgeBenchResult> {
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(memory, 'tangaza-bench-edge-'));
  const wrk = findTool('wrk');
  try {
    await using edge = await startEdge();
    const replies = await copyReplies(edge, join(folder, 'files'));
    await using bare = await startBare(join(folder, 'files'));
    await using nginx = await startNginx(join(folder, 'files'), join(folder, 'nginx'));
    await using front = await startFront(edge, join(folder, 'front'));
    const servers = { edge, bare, nginx, front };
    const cases: EdgeBenchCase[] = [];
    for (const asked of replies) {
      cases.push(await measureCase(servers, { asked, seconds, wrk }, rounds));
      progress(lineOf(cases.at(-1)));
    }
    const isReached = cases.every((one) => one.isReached);
    const generator = wrk === undefined ? 'node' : 'wrk';
    return { generator, connections, target, isReached, cases };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Work {
  readonly asked: Asked;
  readonly seconds: number;
  readonly wrk: string | undefined;
}
type Servers = Readonly<Record<Side, Server>>;

async function measureCase(servers: Servers, work: Work, rounds: number): Promise<EdgeBenchCase> {
  const measured: Round[] = [];
  await measureRound(servers, { ...work, seconds: 1 }, 0); // warms up the servers
  for (let turn = 1; turn <= rounds * maxTries && calm(measured).length < rounds; turn += 1)
    measured.push(await measureRound(servers, work, turn));
  return summarise(work.asked, calmest(measured, rounds));
}

async function measureRound(servers: Servers, work: Work, turn: number): Promise<Round> {
  const turns = new Map<Side, Turn>();
  for (const side of orderOf(turn)) turns.set(side, await measure(side, servers[side], work));
  const of = (side: Side): Turn => {
    const one = turns.get(side);
    if (one === undefined) throw new Error(`${side} was not measured`);
    return one;
  };
  return { edge: of('edge'), bare: of('bare'), nginx: of('nginx'), front: of('front') };
}

/** Each server is first as often as last, and next to each other server equally often. */
function orderOf(turn: number): readonly Side[] {
  const first = turn % sides.length;
  const rotated = [...sides.slice(first), ...sides.slice(0, first)];
  return Math.floor(turn / sides.length) % 2 === 0 ? rotated : rotated.toReversed();
}

async function measure(side: Side, { port, pid }: Server, { asked, seconds, wrk }: Work): Promise<Turn> {
  const { path, isGzip } = asked;
  const before = await processorTime(pid);
  const done = await load({ port, path, isGzip, connections, seconds, core: 1, wrk });
  const after = await processorTime(pid);
  if (done.faults > 0 || done.requests === 0)
    throw new Error(`${side}, ${path}: ${done.faults} faults in ${done.requests} requests`);
  const cpu = after.ran - before.ran;
  const waited = after.waited - before.waited;
  return {
    requests: done.requests,
    perSecond: done.requests / done.seconds,
    perCpuSecond: done.requests / cpu,
    busy: cpu / done.seconds,
    waited: waited / (cpu + waited),
  };
}

/** How many seconds all threads ran, and how many they waited for a processor. The scheduler counts them in ns. */
async function processorTime(pid: number): Promise<{ readonly ran: number; readonly waited: number }> {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')),
  );
  const sum = (field: number): number =>
    texts.reduce((total, text) => total + Number(text.split(' ')[field]), 0) / 1e9;
  return { ran: sum(0), waited: sum(1) };
}

export const waitedOf = (round: Round): number => Math.max(...sides.map((side) => round[side].waited));
const calm = (rounds: readonly Round[]): readonly Round[] =>
  rounds.filter((round) => waitedOf(round) <= maxWaited);

/** The rounds in which the machine did the least other work. How calm they were is part of the figures. */
function calmest(rounds: readonly Round[], count: number): readonly Round[] {
  return rounds.toSorted((left, right) => waitedOf(left) - waitedOf(right)).slice(0, count);
}

function summarise({ name, bytes }: Asked, rounds: readonly Round[]): EdgeBenchCase {
  const ratio = (one: Side, other: Side): number =>
    median(rounds.map((round) => round[one].perCpuSecond / round[other].perCpuSecond));
  const ofBare = ratio('edge', 'bare');
  return {
    name,
    bytes,
    ofBare,
    ofNginx: ratio('edge', 'nginx'),
    frontOfNginx: ratio('front', 'nginx'),
    isReached: ofBare >= target,
    rounds,
  };
}

function lineOf(one: EdgeBenchCase | undefined): string {
  if (one === undefined) return '';
  const { name, bytes, ofBare, ofNginx, frontOfNginx } = one;
  return `${name} (${bytes} bytes): ${ofBare.toFixed(2)} of the bare library, target ${target}; ${ofNginx.toFixed(2)} of nginx; the front ${frontOfNginx.toFixed(2)} of nginx`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
