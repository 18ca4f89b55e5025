/**
 * Starts the servers of `bench edge`, each as one process on core 0: the edge, the bare library, nginx, and the front of `config/front/`.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { freePort } from '../../demo/free-port.system.ts';

export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

export interface EdgeServer extends Server {
  readonly paths: Readonly<Record<string, string>>;
}

/** One object that is requested. */
export interface Asked {
  readonly name: string;
  readonly path: string;
  readonly isGzip: boolean;
  readonly bytes: number;
}

const root = resolve(import.meta.dirname, '../../..');
const Ready = z.object({ port: z.number().positive() });
const EdgeReady = Ready.extend({ paths: z.record(z.string(), z.string()) });

export async function startEdge(): Promise<EdgeServer> {
  const { child, message } = await startChild('edge-server.ts', []);
  return { ...EdgeReady.parse(message), ...processOf(child) };
}

/** @param folder what it serves: each file beside its gzip form `NAME.gz` */
export async function startBare(folder: string): Promise<Server> {
  const { child, message } = await startChild('bare-server.ts', [folder]);
  return { ...Ready.parse(message), ...processOf(child) };
}

async function startChild(file: string, args: readonly string[]) {
  const child = fork(join(import.meta.dirname, file), [...args], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message]: readonly unknown[] = await Promise.race([once(child, 'message'), failure(child, file)]);
  await pinThreads(child);
  return { child, message };
}

/** Writes the edge's own replies to files. Manifests are also stored in gzip, as every browser asks for them. */
export async function copyReplies(edge: EdgeServer, folder: string): Promise<readonly Asked[]> {
  const replies: Asked[] = [];
  for (const [name, path] of Object.entries(edge.paths)) {
    const plain = await ask(edge, path, 'identity');
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeReply(join(folder, path), plain);
    replies.push({ name, path, isGzip: false, bytes: plain.body.byteLength });
    if (name.startsWith('segment')) continue;
    const { head } = await ask(edge, path, 'gzip');
    const body = gzipSync(plain.body, { level: 4 });
    await writeReply(join(folder, `${path}.gz`), { head, body });
    replies.push({ name: `${name}, gzip`, path, isGzip: true, bytes: body.byteLength });
  }
  return replies;
}

interface Copied {
  /** The headers that the edge adds to those of the library. */
  readonly head: string;
  readonly body: Buffer;
}

const ofTheLibrary = new Set([
  'content-type',
  'content-length',
  'date',
  'uwebsockets',
  'connection',
  'keep-alive',
]);

async function ask({ port }: Server, path: string, encoding: string): Promise<Copied> {
  const headers = { 'accept-encoding': encoding };
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
  const body = Buffer.from(await reply.arrayBuffer());
  const others = [...reply.headers].filter(([name]) => !ofTheLibrary.has(name));
  const lines = [
    reply.headers.get('content-type') ?? '',
    ...others.map(([name, value]) => `${name}: ${value}`),
  ];
  return { head: lines.join('\r\n'), body };
}

async function writeReply(file: string, { head, body }: Copied): Promise<void> {
  await writeFile(file, body);
  await writeFile(`${file}.head`, head);
}

/** Starts nginx with the same bytes as static files. @param files what it serves @param folder its own */
export async function startNginx(files: string, folder: string): Promise<Server> {
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(port, folder, files));
  return runNginx(folder, port, []);
}

/** Starts the front as it is, but without TLS: the figure is for nginx's cache, not for its cipher. */
export async function startFront(edge: Server, folder: string): Promise<Server> {
  const port = await freePort();
  await cp(join(root, 'config/front'), folder, { recursive: true });
  await writeFile(join(folder, 'site/server.conf'), `listen 127.0.0.1:${port};\n`);
  await writeFile(join(folder, 'site/edges.conf'), `server 127.0.0.1:${edge.port};\n`);
  return runNginx(folder, port, ['-g', 'daemon off; master_process off;']);
}

async function runNginx(folder: string, port: number, more: readonly string[]): Promise<Server> {
  const binary = findTool('nginx');
  if (binary === undefined) throw new Error('nginx is not here: run scripts/setup --for bench');
  const args = ['-c', '0', binary, '-p', `${folder}/`, '-c', join(folder, 'nginx.conf'), ...more];
  const child = spawn('taskset', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  await Promise.race([untilServing(port), failure(child, 'nginx')]);
  return { port, ...processOf(child) };
}

/** One process, tuned for static files, with a block of headers like the edge's. */
function nginxConfig(port: number, folder: string, files: string): string {
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 4096; use epoll; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; gzip_static on; keepalive_requests 1000000000; keepalive_timeout 60;
  open_file_cache max=100; open_file_cache_valid 3600; open_file_cache_min_uses 1;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  types { video/mp4 m4s mp4; application/dash+xml mpd; application/vnd.apple.mpegurl m3u8; }
  server {
    listen 127.0.0.1:${port} reuseport; root ${files};
    add_header cache-control "public, max-age=31536000, immutable";
    add_header access-control-allow-origin "*";
    add_header access-control-expose-headers "accept-ranges, age, cmsd-dynamic, cmsd-static, content-length, content-range, date, etag, link, location, retry-after, tangaza-log-stale, tangaza-starts-at";
    add_header timing-allow-origin "*"; add_header x-content-type-options nosniff; location = / { return 204; }
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

/** Pins all threads of a process that is already running: `taskset -a`. */
async function pinThreads(child: ChildProcess): Promise<void> {
  const pinned = spawn('taskset', ['-a', '-c', '-p', '0', String(child.pid)], { stdio: 'ignore' });
  await once(pinned, 'exit');
}

async function failure(child: ChildProcess, name: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${name} ended`);
}

async function untilServing(port: number): Promise<void> {
  const isServing = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await isServing()) return;
    await delay(50);
  }
  throw new Error('nginx does not answer');
}

export function findTool(name: string): string | undefined {
  const folders = [
    join(root, '.toolchain/bin'),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
