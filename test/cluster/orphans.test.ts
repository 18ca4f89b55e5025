/** `tangaza up` leaves no process behind, however it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const cli = resolve(import.meta.dirname, '../../scripts/tangaza.ts');

/** Below the ports that connections get, and another one for each run on this machine. */
const ports = 21_000 + (process.pid % 100) * 100;

interface Up extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Its processes: nats-server, the nodes, the publisher. */
  readonly children: readonly number[];
}

async function startUp(portBase: number): Promise<Up> {
  const data = await mkdtemp(join(tmpdir(), 'tangaza-up-'));
  const bases = ['--port-base', String(portBase), '--rtmp-base', String(portBase + 50)];
  const child = spawn(process.execPath, [cli, 'up', '--json', '--data', data, ...bases], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  expect(JSON.parse(String(line))).toMatchObject({ ready: true, stream: { id: 'demo' } });
  const { pid } = child;
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return {
    child,
    children: listed.trim().split(' ').map(Number),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await rm(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function waitUntilGone(pids: readonly number[]): Promise<void> {
  const deadline = AbortSignal.timeout(30_000);
  while (pids.some((pid) => existsSync(`/proc/${pid}`)) && !deadline.aborted) {
    await new Promise((done) => setTimeout(done, 100));
  }
}

const left = (pids: readonly number[]): readonly number[] => pids.filter((pid) => existsSync(`/proc/${pid}`));

test('Ctrl-C, which through npm comes twice, stops all in order', async () => {
  await using up = await startUp(ports);
  expect(up.children.length).toBe(4);
  const ended = once(up.child, 'exit');
  up.child.kill('SIGINT');
  up.child.kill('SIGINT');
  expect((await ended)[0]).toBe(0);
  expect(left(up.children)).toEqual([]);
});

test('a supervisor that is killed takes its processes with it', async () => {
  await using up = await startUp(ports + 20);
  up.child.kill('SIGKILL');
  await waitUntilGone(up.children);
  expect(left(up.children)).toEqual([]);
});
