/**
 * Generates HTTP load: keep-alive connections, one request at a time on each, no pipelining.
 *
 * It uses `wrk` where it is installed, as that is faster than any server on one core. Otherwise it uses Node's sockets in a process of its
 * own (`http-load.ts PORT PATH CONNECTIONS SECONDS ENCODING`). With small replies that process is busier than the server. A figure then
 * means something only per CPU second of the server.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { z } from 'zod';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  /** Asks for gzip, as every browser does. */
  readonly isGzip: boolean;
  readonly connections: number;
  readonly seconds: number;
  /** The core to which the generator is pinned. */
  readonly core: number;
  /** The path of wrk; without it the generator here is used. */
  readonly wrk: string | undefined;
}

export const LoadResult = z.object({ requests: z.number(), seconds: z.number(), faults: z.number() });
export type LoadResult = z.infer<typeof LoadResult>;

const run = promisify(execFile);

/** @throws Error when the generator cannot be run */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, path, isGzip, connections, seconds, core, wrk } = options;
  const pin = ['-c', String(core)];
  if (wrk === undefined) {
    const args = [import.meta.filename, port, path, connections, seconds, isGzip ? 'gzip' : 'identity'].map(
      String,
    );
    const { stdout } = await run('taskset', [...pin, process.execPath, ...args]);
    return LoadResult.parse(JSON.parse(stdout));
  }
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await run('taskset', [
    ...pin,
    wrk,
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-H',
    `Accept-Encoding: ${isGzip ? 'gzip' : 'identity'}`,
    url,
  ]);
  return readWrk(stdout);
}

function readWrk(report: string): LoadResult {
  const [, requests = '0', time = '0'] = /(\d+) requests in ([\d.]+)s/.exec(report) ?? [];
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report) ?? [];
  const faults = bad + socket.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return { requests: Number(requests), seconds: Number(time), faults };
}

/** One connection, which counts responses until `isOver`. */
function openConnection(
  port: number,
  request: Buffer,
  count: (isGood: boolean) => void,
  isOver: () => boolean,
): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let left = 0;
  let start = '';
  socket.on('connect', () => socket.write(request));
  socket.on('error', () => count(false));
  socket.on('data', (chunk: Buffer) => {
    if (left === 0) {
      start += chunk.toString('latin1');
      const end = start.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(start)?.[1] ?? 0);
      left = length - (start.length - end - 4);
      if (!start.startsWith('HTTP/1.1 200')) count(false);
      start = '';
    } else {
      left -= chunk.length;
    }
    if (left > 0) return;
    left = 0;
    count(true);
    if (isOver()) socket.destroy();
    else socket.write(request);
  });
}

function runHere([
  port = '',
  path = '',
  connections = '',
  seconds = '',
  encoding = 'identity',
]: readonly string[]): void {
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
  );
  let [requests, faults] = [0, 0];
  const begunMs = performance.now();
  const endMs = begunMs + Number(seconds) * 1000;
  const count = (isGood: boolean): void => {
    if (isGood) requests++;
    else faults++;
  };
  for (let index = 0; index < Number(connections); index++)
    openConnection(Number(port), request, count, () => performance.now() >= endMs);
  process.on('exit', () => {
    process.stdout.write(JSON.stringify({ requests, faults, seconds: (performance.now() - begunMs) / 1000 }));
  });
}

if (process.argv[1] === import.meta.filename) runHere(process.argv.slice(2));
