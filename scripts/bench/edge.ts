/**
 * Benchmark of the edge: what one core of it serves of a live stream's segments and manifests, against nginx serving the
 * same bytes as static files from memory. Targets: >= 1.0 for segments, >= 1.2 for manifests.
 *
 * Server on core 0, load on core 1; one nginx process, files on tmpfs, the same headers, no access log. Both run all the
 * time and are measured in turns, the first of each pair in alternation, so that what else the machine does meets both;
 * a pair that was disturbed is measured again.
 * The figure is requests per CPU second of the server (user + system, from `/proc`): what one core does when it is
 * kept busy, however fast the load generator is. Requests per second of wall time are told beside it.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { load } from './http-load.ts';

export interface EdgeBenchOptions {
  /** Pairs of turns for each case; default 12. */
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

export interface EdgeBenchCase {
  readonly name: string;
  readonly bytes: number;
  readonly target: number;
  /** Edge / nginx, each side's best round, per CPU second: what disturbs a round only ever makes it slower. */
  readonly ratio: number;
  /** Median of the rounds' own ratios. */
  readonly medianRatio: number;
  readonly isReached: boolean;
  readonly rounds: readonly { readonly edge: Turn; readonly nginx: Turn }[];
}

export interface EdgeBenchResult {
  readonly generator: 'wrk' | 'node';
  readonly connections: number;
  readonly isReached: boolean;
  readonly cases: readonly EdgeBenchCase[];
}

const root = resolve(import.meta.dirname, '../..');
const results = join(import.meta.dirname, 'results/edge.json');
const connections = 32;
/** A pair of turns in which a server waited for more than this share is measured again, so many times for each round. */
const maxWaited = 0.1;
const maxTries = 4;
const targetOf = (name: string): number => (name.startsWith('segment') ? 1 : 1.2);

const Ready = z.object({ port: z.number(), paths: z.record(z.string(), z.string()) });

interface Server extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

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
    const replies = await copyReplies(edge, folder);
    await using nginx = await startNginx(folder);
    const cases: EdgeBenchCase[] = [];
    for (const { name, path, isGzip, bytes } of replies) {
      const pairs: { edge: Turn; nginx: Turn }[] = [];
      for (let turn = 0; turn <= rounds * maxTries && calm(pairs).length < rounds; turn++) {
        const pair = await measurePair(
          { edge, nginx, isEdgeFirst: turn % 2 === 0 },
          { path, isGzip, seconds: turn === 0 ? 1 : seconds, wrk },
        );
        if (turn > 0) pairs.push(pair); // the first one warms up
      }
      cases.push(summarise(name, bytes, calmest(pairs, rounds)));
      progress(lineOf(cases.at(-1)));
    }
    const result = {
      generator: wrk === undefined ? 'node' : 'wrk',
      connections,
      isReached: cases.every((one) => one.isReached),
      cases,
    } as const;
    await mkdir(dirname(results), { recursive: true });
    await writeFile(results, `${JSON.stringify(result, undefined, 2)}\n`);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The report as Markdown: the verdict first. */
export function edgeReport({ cases, generator, isReached }: EdgeBenchResult): string {
  const rows = cases.map(({ name, bytes, target, ratio, medianRatio, rounds }) => {
    const figure = (side: 'edge' | 'nginx', of: (turn: Turn) => number): string =>
      Math.max(...rounds.map((round) => of(round[side]))).toFixed(0);
    const cpu = (turn: Turn): number => turn.perCpuSecond;
    const wall = (turn: Turn): number => turn.perSecond;
    const waited = `${(100 * median(rounds.map(waitedOf))).toFixed(0)} %`;
    return `| ${name} | ${bytes} | **${ratio.toFixed(2)}** | ${medianRatio.toFixed(2)} | ${target} | ${figure('edge', cpu)} | ${figure('nginx', cpu)} | ${figure('edge', wall)} | ${figure('nginx', wall)} | ${waited} |`;
  });
  return [
    '## bench edge',
    '',
    `**One core of the edge against one of nginx from tmpfs: targets ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    `Server on core 0, load (${generator}, ${connections} keep-alive connections) on core 1, turns interleaved, best of ${cases[0]?.rounds.length ?? 0} rounds.`,
    'Waited: share of its time that a server waited for its core; above 10 % the machine was not quiet.',
    '',
    '| reply | bytes | ratio of best rounds | median ratio | target | edge, per CPU s | nginx, per CPU s | edge, per s | nginx, per s | waited |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

async function measurePair(
  {
    edge,
    nginx,
    isEdgeFirst,
  }: { readonly edge: Server; readonly nginx: Server; readonly isEdgeFirst: boolean },
  work: Work,
): Promise<{ edge: Turn; nginx: Turn }> {
  if (isEdgeFirst) {
    const first = await measure(edge, work);
    return { edge: first, nginx: await measure(nginx, work) };
  }
  const first = await measure(nginx, work);
  return { edge: await measure(edge, work), nginx: first };
}

interface Work {
  readonly path: string;
  readonly isGzip: boolean;
  readonly seconds: number;
  readonly wrk: string | undefined;
}

async function measure({ port, pid }: Server, { path, isGzip, seconds, wrk }: Work): Promise<Turn> {
  const before = await processorTime(pid);
  const done = await load({ port, path, isGzip, connections, seconds, core: 1, wrk });
  const after = await processorTime(pid);
  if (done.faults > 0 || done.requests === 0)
    throw new Error(`${path}: ${done.faults} faults in ${done.requests} requests`);
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

type Pair = EdgeBenchCase['rounds'][number];

const waitedOf = ({ edge, nginx }: Pair): number => Math.max(edge.waited, nginx.waited);
const calm = (pairs: readonly Pair[]): readonly Pair[] => pairs.filter((pair) => waitedOf(pair) <= maxWaited);

/** The rounds in which the machine did least besides; how calm they were is among the figures. */
function calmest(pairs: readonly Pair[], count: number): readonly Pair[] {
  return pairs.toSorted((left, right) => waitedOf(left) - waitedOf(right)).slice(0, count);
}

function summarise(name: string, bytes: number, rounds: readonly Pair[]): EdgeBenchCase {
  const best = (side: 'edge' | 'nginx'): number =>
    Math.max(...rounds.map((round) => round[side].perCpuSecond));
  const ratio = best('edge') / best('nginx');
  const medianRatio = median(rounds.map(({ edge, nginx }) => edge.perCpuSecond / nginx.perCpuSecond));
  const target = targetOf(name);
  return { name, bytes, target, ratio, medianRatio, isReached: ratio >= target, rounds };
}

function lineOf(one: EdgeBenchCase | undefined): string {
  return one === undefined
    ? ''
    : `${one.name} (${one.bytes} bytes): ${one.ratio.toFixed(2)} of nginx, target ${one.target}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

async function startEdge(): Promise<Server & { readonly paths: Readonly<Record<string, string>> }> {
  const child = fork(join(import.meta.dirname, 'edge-server.ts'), [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = await Promise.race([once(child, 'message'), failure(child, 'the edge')]);
  const { port, paths } = Ready.parse(message);
  await pinThreads(child);
  return { port, paths, ...processOf(child) };
}

interface Reply {
  readonly name: string;
  readonly path: string;
  readonly isGzip: boolean;
  readonly bytes: number;
}

/** The edge's own replies become nginx's files, manifests also as every browser asks for them: in gzip. */
async function copyReplies(
  edge: Server & { readonly paths: Readonly<Record<string, string>> },
  folder: string,
): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const [name, path] of Object.entries(edge.paths)) {
    const reply = await fetch(`http://127.0.0.1:${edge.port}${path}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
    const body = Buffer.from(await reply.arrayBuffer());
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), body);
    replies.push({ name, path, isGzip: false, bytes: body.byteLength });
    if (name.startsWith('segment')) continue;
    const zipped = gzipSync(body, { level: 4 });
    await writeFile(join(folder, `${path}.gz`), zipped);
    replies.push({ name: `${name}, gzip`, path, isGzip: true, bytes: zipped.byteLength });
  }
  return replies;
}

async function startNginx(folder: string): Promise<Server> {
  const binary = findTool('nginx');
  if (binary === undefined) throw new Error('nginx is not here: run scripts/setup --for bench');
  const port = await freePort();
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(port, folder));
  await mkdir(join(folder, 'logs'), { recursive: true });
  const args = ['-c', '0', binary, '-p', folder, '-c', join(folder, 'nginx.conf')];
  const child = spawn('taskset', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  await Promise.race([untilServing(port), failure(child, 'nginx')]);
  return { port, ...processOf(child) };
}

/** One process, tuned for static files; a header block like the edge's. */
function nginxConfig(port: number, folder: string): string {
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 4096; use epoll; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; gzip_static on; keepalive_requests 1000000000; keepalive_timeout 60;
  open_file_cache max=100; open_file_cache_valid 3600; open_file_cache_min_uses 1;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  types { video/mp4 m4s mp4; application/dash+xml mpd; application/vnd.apple.mpegurl m3u8; }
  server {
    listen 127.0.0.1:${port} reuseport; root ${folder};
    add_header cache-control "public, max-age=31536000, immutable";
    add_header access-control-allow-origin "*";
    add_header access-control-expose-headers "content-length, content-range, date, etag, link, location, retry-after";
    add_header x-content-type-options nosniff; location = / { return 204; }
  }
}
`;
}

function processOf(child: ChildProcess): { readonly pid: number } & AsyncDisposable {
  const exited = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** All threads of a process that runs already: `taskset -a`. */
async function pinThreads(child: ChildProcess): Promise<void> {
  const pinned = spawn('taskset', ['-a', '-c', '-p', '0', String(child.pid)], { stdio: 'ignore' });
  await once(pinned, 'exit');
}

async function failure(child: ChildProcess, name: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${name} ended`);
}

async function untilServing(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(50);
  }
  throw new Error('nginx does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function findTool(name: string): string | undefined {
  const folders = [
    join(root, '.toolchain/bin'),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
