/** The lock of a data folder, between real processes: who has it, who is refused, and that it never outlives its holder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder, type FolderUse } from '../../../config/folder-lock.sqlite.ts';
import { UnusableError } from '../../../config/unusable.ts';

const code = join(import.meta.dirname, '../../../config/folder-lock.sqlite.ts');
const up: FolderUse = { kind: 'whole', command: 'tangaza up' };
const node = (id: string): FolderUse => ({ kind: 'node', id, command: 'tangaza node' });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tangaza-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Holder extends AsyncDisposable {
  readonly pid: number;
  readonly said: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** A process that takes the lock, says `held` or why it did not get it, and lives on. */
async function holder(use: FolderUse, place = folder): Promise<Holder> {
  const script = `
    import { lockFolder } from ${JSON.stringify(code)};
    try { globalThis.held = lockFolder(${JSON.stringify(place)}, ${JSON.stringify(use)}); console.log('held'); }
    catch (error) { console.log(error.message); }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const kill = (signal: NodeJS.Signals): Promise<void> => ended(child, signal);
  return { pid: child.pid ?? 0, said: String(line), kill, [Symbol.asyncDispose]: () => kill('SIGKILL') };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Why this process does not get the lock; undefined when it gets it, and gives it back. */
function refusal(use: FolderUse, place = folder): string | undefined {
  try {
    lockFolder(place, use).release();
    return undefined;
  } catch (error) {
    return error instanceof UnusableError ? error.message : `another error: ${String(error)}`;
  }
}

test('a second `up` is refused, with the pid and the command of the first, and what to do', async () => {
  await using first = await holder(up);
  expect(refusal(up)).toMatch(
    new RegExp(
      `in use by process ${first.pid} \\(tangaza up\\), since .*: stop it, or choose another folder with --data DIR$`,
    ),
  );
});

test('by whatever path the folder is named, it is the same', async () => {
  const link = `${folder}-link`;
  symlinkSync(folder, link);
  try {
    await using first = await holder(up, link);
    for (const place of [folder, relative(process.cwd(), folder), `${folder}/../${folder.split('/').pop()}/`])
      expect(refusal(up, place)).toContain(`process ${first.pid} `);
  } finally {
    rmSync(link);
  }
});

test('nodes share a folder, each under its own id; `up` has it for itself', async () => {
  await using first = await holder(node('n1'));
  await using second = await holder(node('n2'));
  expect({ firstSaid: first.said, secondSaid: second.said }).toEqual({
    firstSaid: 'held',
    secondSaid: 'held',
  });
  expect(refusal(node('n1'))).toMatch(
    new RegExp(
      `a node n1 runs already .* as process ${first.pid} .*: stop it, or set another TANGAZA_NODE_ID$`,
    ),
  );
  const words = refusal(up);
  expect(words).toContain(`process ${first.pid} (tangaza node)`);
  expect(words).toContain(`process ${second.pid} (tangaza node)`);
  await first.kill('SIGKILL');
  await second.kill('SIGKILL');
  await using whole = await holder(up);
  expect(whole.said).toBe('held');
  expect(refusal(node('n1'))).toContain(`process ${whole.pid} (tangaza up)`);
});

test('the lock ends with its holder, killed or frozen and killed, and what it left behind stops nobody', async () => {
  for (const signals of [['SIGKILL'], ['SIGSTOP', 'SIGKILL']] as const) {
    await using first = await holder(up);
    expect(first.said).toBe('held');
    if (signals.length > 1) process.kill(first.pid, 'SIGSTOP');
    expect(refusal(up)).toContain(`process ${first.pid} `);
    await first.kill('SIGKILL');
    expect(refusal(up)).toBeUndefined();
  }
});

// Goal: the record is no lock. Method: it names this process, which lives, with the start of another: a pid that was given again.
test('a record without its lock, also one whose pid was given again, refuses nobody', () => {
  lockFolder(folder, up).release();
  const record = { pid: process.pid, started: 'another boot/1', command: 'tangaza up', since: '' };
  writeFileSync(join(folder, 'locks/up.json'), JSON.stringify(record));
  expect(refusal(up)).toBeUndefined();
  writeFileSync(join(folder, 'locks/up.json'), 'no JSON');
  expect(refusal(up)).toBeUndefined();
});

test('of several that start at the same moment, exactly one has it', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => holder(up)));
  try {
    expect(all.filter(({ said }) => said === 'held')).toHaveLength(1);
  } finally {
    for (const one of all) await one.kill('SIGKILL');
  }
});

test('a lock writes nothing but its record, which an orderly end removes', () => {
  const lock = lockFolder(folder, node('n1'));
  const files = (): readonly string[] => readdirSync(join(folder, 'locks')).toSorted();
  expect(files()).toEqual(['folder.lock', 'node-n1.json', 'node-n1.lock']);
  lock.release();
  expect(files()).toEqual(['folder.lock', 'node-n1.lock']);
  expect(statSync(join(folder, 'locks/node-n1.lock')).size).toBe(0);
});

test('a folder that cannot be written is told as such: to `up` as wrong use, to a node as a fault that may pass', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(refusal(up, file)).toMatch(/cannot be used \(ENOTDIR.*\): make it writable .* with --data DIR$/);
  expect(refusal(node('n1'), file)).toMatch(/^another error: .*set another TANGAZA_DATA_DIR$/);
});
