/**
 * Benchmark of the edge: what one core of it serves of a live stream's segments and manifests, against the floor of its
 * library: a bare uWebSockets.js that writes the same headers as one block, and `end(buffer)`. Target: >= 0.90 of that for
 * each reply. Told beside it: nginx with the same bytes as static files from memory, and the front of `config/front/` out
 * of its cache against that nginx.
 *
 * The ratio to nginx is the machine's more than ours: nginx copies nothing (`sendfile`), the library copies each byte into
 * its socket once, and what that costs differs between processors by half. So it is not judged.
 *
 * Servers on core 0, load on core 1; one process each, files on tmpfs, no access log. All run all the time and are measured
 * in turns of a second, in an order that changes with each round, so that what else the machine does meets all; a round
 * that was disturbed is measured again. The figure is requests per CPU second of the server (user + system, from
 * `/proc`), and a ratio the median of the rounds' own ratios.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  /** Rounds for each case; default 12. */
  readonly rounds?: number;
  /** Length of one turn; default 1 s. */
  readonly seconds?: number;
  readonly progress?: (line: string) => void;
}

export interface Turn {
  readonly requests: number;
  readonly perSecond: number;
  /** Requests per second of the server's CPU time. */
  readonly perCpuSecond: number;
  /** Share of its core that the server was busy. */
  readonly busy: number;
  /** Share of the time it could have run that the server waited for its core: what else the machine did. */
  readonly waited: number;
}

export const sides = ['edge', 'bare', 'nginx', 'front'] as const;
export type Side = (typeof sides)[number];
export type Round = Readonly<Record<Side, Turn>>;

export interface EdgeBenchCase {
  readonly name: string;
  readonly bytes: number;
  /** Edge / bare library: what is judged. */
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

const results = join(import.meta.dirname, 'results/edge.json');
const connections = 32;
const target = 0.9;
/** A round in which a server waited for more than this share is measured again, so many times for each round. */
const maxWaited = 0.1;
const maxTries = 4;

/** Runs it and keeps the raw figures in `scripts/bench/results/edge.json`. @throws Error when a reply is not a good one */
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
    const result = { generator, connections, target, isReached, cases } as const;
    await mkdir(dirname(results), { recursive: true });
    await writeFile(results, `${JSON.stringify(result, undefined, 2)}\n`);
    return result;
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
  await measureRound(servers, { ...work, seconds: 1 }, 0); // warms up
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

/** Each side is first as often as last, and next to each other one. */
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

/** Seconds that all threads ran and were made to wait for a processor; the scheduler counts them in ns. */
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

/** The rounds in which the machine did least besides; how calm they were is among the figures. */
function calmest(rounds: readonly Round[], count: number): readonly Round[] {
  return rounds.toSorted((left, right) => waitedOf(left) - waitedOf(right)).slice(0, count);
}

function summarise({ name, bytes }: Asked, rounds: readonly Round[]): EdgeBenchCase {
  const ratio = (one: Side, other: Side): number =>
    median(rounds.map((round) => round[one].perCpuSecond / round[other].perCpuSecond));
  const ofBare = ratio('edge', 'bare');
  return {
    ...{ name, bytes, ofBare },
    ofNginx: ratio('edge', 'nginx'),
    frontOfNginx: ratio('front', 'nginx'),
    ...{ isReached: ofBare >= target, rounds },
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
