/**
 * A real nats-server of the tool chain on a free port of 127.0.0.1, with a folder of its own.
 *
 * The server chooses the port itself and says it on stderr, so no other process can take it in between; a restart
 * binds the same port and folder again. Nothing outlives the test process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface NatsOptions {
  readonly jetstream?: boolean;
  /** JetStream's folder; kept at dispose when given, else a temporary one that is removed. */
  readonly dir?: string;
  /** More command-line arguments, e.g. `['-c', file]`. */
  readonly args?: readonly string[];
  /** Where it runs, for a file that names others. */
  readonly cwd?: string;
}

export interface TestNats extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** JetStream's folder. */
  readonly dir: string;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port and folder, killing it first if it still runs. */
  restart(): Promise<void>;
}

const binary = resolve(import.meta.dirname, '../../../.toolchain/bin/nats-server');
const startTimeoutMs = 60_000;
const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  running.forEach((child) => child.kill('SIGKILL'));
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});

/** @throws Error with the server's last lines when it does not come up within 60 s */
export async function startNats(options: NatsOptions = {}): Promise<TestNats> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'tangaza-nats-')));
  if (options.dir === undefined) folders.add(dir);
  const argsFor = (port: number): readonly string[] => [
    ...['-a', '127.0.0.1', '-p', String(port)],
    ...(options.jetstream === true ? ['-js', '-sd', dir] : []),
    ...(options.args ?? []),
  ];
  let server = await launch(argsFor(-1), options.cwd);
  const { port } = server;
  const kill = async (): Promise<void> => {
    const { child } = server;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    dir,
    kill,
    freeze: () => void server.child.kill('SIGSTOP'),
    thaw: () => void server.child.kill('SIGCONT'),
    restart: async () => {
      await kill();
      server = await launch(argsFor(port), options.cwd);
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
      folders.delete(dir);
    },
  };
}

async function launch(
  args: readonly string[],
  cwd?: string,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(binary, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const spawned = once(child, 'spawn');
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  const tail: string[] = [];
  try {
    await spawned;
    let port = 0;
    for await (const line of createInterface({ input: child.stderr })) {
      tail.push(line);
      port = Number(/Listening for client connections on [^ ]*:(\d+)$/.exec(line)?.[1] ?? port);
      if (line.includes('Server is ready')) {
        // Nobody reads from here on: a full pipe would block the server.
        child.stderr.resume();
        return { child, port };
      }
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`nats-server did not start:\n${tail.slice(-20).join('\n')}`);
}
