/**
 * A real S3 server of the tool chain on 127.0.0.1 over a temporary folder.
 *
 * It cannot say which free port it took, so one is reserved, let go and given to it; if another process takes it in
 * between, the server exits and the next port is tried. Nothing outlives the test process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../../../scripts/demo/free-port.system.ts';
import { waitUntil } from '../../wait.ts';

export interface TestS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Its buckets are the folders in here. */
  readonly dir: string;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, killing it first if it still runs. */
  restart(): Promise<void>;
}

export interface VersityGwOptions {
  /** A folder that is kept; a temporary one that is removed when absent. */
  readonly dir?: string;
}

const binary = resolve(import.meta.dirname, '../../../../.toolchain/bin/versitygw');
const startTimeoutMs = 60_000;
const keys = { accessKey: 'tangaza-test', secretKey: 'tangaza-test-secret' };
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** @throws Error with the server's last words when it does not come up within 60 s */
export async function startVersityGw(options: VersityGwOptions = {}): Promise<TestS3> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'tangaza-s3-')));
  const first = await launchOnFreePort(dir);
  const { port } = first;
  let { child } = first;
  const kill = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    ...keys,
    dir,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      child = await launch(dir, port);
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

async function launchOnFreePort(dir: string): Promise<{ child: ChildProcess; port: number }> {
  const maxPorts = 3;
  for (let tried = 1; ; tried += 1) {
    const port = await freePort();
    try {
      return { child: await launch(dir, port), port };
    } catch (error) {
      if (tried === maxPorts) throw error;
    }
  }
}

async function launch(dir: string, port: number): Promise<ChildProcess> {
  const env = { ...process.env, ROOT_ACCESS_KEY: keys.accessKey, ROOT_SECRET_KEY: keys.secretKey };
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', dir];
  const child = spawn(binary, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.length < 100 && words.push(chunk));
  try {
    await once(child, 'spawn');
    await answers(port, child);
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`versitygw did not start on port ${port}: ${Buffer.concat(words).toString()}`, {
      cause: error,
    });
  }
}

/** Waits until the server takes connections: it says nothing when it is ready. */
async function answers(port: number, child: ChildProcess): Promise<void> {
  const isThere = async (): Promise<boolean> => hasEnded(child) || takesConnections(port);
  await waitUntil(`port ${port} takes connections`, isThere, { withinMs: startTimeoutMs, everyMs: 20 });
  if (hasEnded(child)) throw new Error('it exited');
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
