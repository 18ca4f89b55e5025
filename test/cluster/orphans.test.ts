/** `tangaza up` as its user has it: whose folder it is, who finds it, what it tells, and that it leaves nothing behind however it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ClusterView } from '../../cluster/contract/api/control-views.ts';
import { StreamHealth } from '../../cluster/contract/stream-health.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { runCli, type CliResult } from '../support/cluster/cli.ts';
import { waitFor } from '../support/wait.ts';

const cli = resolve(import.meta.dirname, '../../scripts/tangaza.ts');

/** Below the ports that connections get, and another one for each run on this machine. */
const ports = 21_000 + (process.pid % 100) * 100;
const withinMs = 60_000;

interface Up {
  readonly child: ChildProcess;
  /** Its processes: nats-server, the nodes, the publisher. */
  readonly children: readonly number[];
  readonly told: readonly string[];
}

const flags = (data: string, portBase: number): readonly string[] => [
  ...['up', '--json', '--data', data],
  ...['--port-base', String(portBase), '--rtmp-base', String(portBase + 50)],
];

async function startUp(data: string): Promise<Up> {
  const child = spawn(process.execPath, [cli, ...flags(data, ports)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const told: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => void told.push(line));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  expect(JSON.parse(String(line))).toMatchObject({ ready: true, stream: { id: 'demo' } });
  const { pid } = child;
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return { child, told, children: listed.trim().split(' ').map(Number) };
}

const left = (pids: readonly number[]): readonly number[] => pids.filter((pid) => existsSync(`/proc/${pid}`));

/** As a user whose shell knows no token. */
const run = (...args: readonly string[]): Promise<CliResult> => runCli(args, '');

let data: string;
let link: string;
let up: Up;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'tangaza-up-'));
  link = `${data}-link`;
  await symlink(data, link);
  up = await startUp(data);
});
afterAll(async () => {
  up.child.kill('SIGKILL');
  await waitFor(
    'its processes have ended',
    () => left(up.children),
    (pids) => pids.length === 0,
  );
  await rm(link, { force: true });
  await rm(data, { recursive: true, force: true });
});

test('it has two regions with a nats-server and two nodes each, and a publisher', () => {
  expect(up.children.length).toBe(7);
});

test('a second one on its folder is refused, with whose it is and what to do, and changes nothing', async () => {
  const { code, stdout, stderr } = await run(...flags(link, ports + 20));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`is in use by process ${up.child.pid} (tangaza up --json --data ${data} `);
  expect(stderr).toContain('stop it, or choose another folder with --data DIR');
  expect((await run('nodes', '--data', data)).code).toBe(0);
});

test('one on its ports is told that a demo seems to run, by which process, and what else is wrong, before anything is started', async () => {
  const other = `${data}-other`;
  try {
    const args = flags(other, ports);
    const { code, stderr } = await runCli(args, '', { TANGAZA_LOG_LEVEL: 'loud', TANGAZA_LADER: 'x' });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /- a demo seems to run already: 12 of 12 ports are in use \(\d+ by process \d+ .*; stop it, or choose/,
    );
    expect(stderr).toContain('- TANGAZA_LOG_LEVEL: ');
    expect(stderr).toContain('warning: TANGAZA_LADER: no such setting; TANGAZA_LADDER is one');
    expect(readdirSync(other)).toEqual(['locks']);
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});

test('commands find it by its folder, whatever its ports, and without a token', async () => {
  const { code, stdout } = await run('who', 'demo', '--data', link, '--json');
  expect(code).toBe(0);
  expect(StreamHealth.parse(JSON.parse(stdout)).owner).toMatch(/^region-1-node-/);
});

// Goal: who kills the owner reads in the terminal what came of it, and can ask at once. Method: the owner is killed; if it is the first
// node, commands have to ask another.
test('a killed owner: commands go on, and its death, its successor and its return are told', async () => {
  const { stdout } = await run('who', 'demo', '--data', data, '--json');
  const { owner = '' } = StreamHealth.parse(JSON.parse(stdout));
  const { nodes } = z
    .object({ nodes: ClusterView.shape.nodes })
    .parse({ nodes: JSON.parse((await run('nodes', '--data', data, '--json')).stdout) });
  process.kill(nodes.find(({ id }) => id === owner)?.pid ?? 0, 'SIGKILL');
  expect((await run('who', 'demo', '--data', data)).code).toBe(0);
  const story = (): string => up.told.join('\n');
  const successor = owner.endsWith('1') ? 'region-1-node-2' : 'region-1-node-1';
  await expect.poll(story, { timeout: withinMs }).toContain(`${owner} died (signal SIGKILL); started again`);
  await expect
    .poll(story, { timeout: withinMs })
    .toMatch(new RegExp(`${successor} owns demo after [\\d.]+ s \\(owner died`));
  await expect.poll(story, { timeout: withinMs }).toMatch(new RegExp(`${owner} is back after [\\d.]+ s`));
});

// Goal: kill -9 of `up` itself leaves nothing for long. Method: its processes lose it, one of them frozen, so that it cannot end by
// itself; the next `up` on the folder is started at once.
test('killed itself, it takes its processes with it, and the next one on its folder ends what is left', async () => {
  const [nats = 0] = up.children;
  const { children: first, child } = up;
  process.kill(nats, 'SIGSTOP');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await run('who', 'demo', '--data', data)).stderr).toContain('the last one was killed');
  up = await startUp(data);
  expect(left(first)).toEqual([]);
  expect(up.told.join('\n')).toContain(`region-1-nats (process ${nats}) did not end: killed`);
});

test('Ctrl-C, which through npm comes twice, stops all in order, and nothing claims the folder', async () => {
  const ended = once(up.child, 'exit');
  up.child.kill('SIGINT');
  up.child.kill('SIGINT');
  expect((await ended)[0]).toBe(0);
  expect(left(up.children)).toEqual([]);
  expect(readdirSync(data).toSorted()).toEqual([
    ...['locks', 'logs', 'region-1', 'region-2', 'token-keys.json'],
  ]);
  expect((await run('who', 'demo', '--data', data)).stderr).toContain(`no demo runs in ${data}: start one`);
});

test('Ctrl-C while it starts leaves nothing behind, a second one ends it at once', async () => {
  const child = spawn(process.execPath, [cli, ...flags(data, ports)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await waitForLine(child, 'nats-server of region-1 starts');
  const listed = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await systemClock.sleep(1100); // later than the same one that comes twice
  child.kill('SIGINT');
  expect([0, 130]).toContain((await ended)[0]);
  await expect.poll(() => left(listed.trim().split(' ').map(Number)), { timeout: withinMs }).toEqual([]);
  const server = createServer();
  await once(server.listen(ports, '127.0.0.1'), 'listening');
  server.close();
});

async function waitForLine(child: ChildProcess, text: string): Promise<void> {
  if (child.stderr === null) throw new Error('no stderr');
  for await (const line of createInterface({ input: child.stderr })) if (line.includes(text)) return;
}
