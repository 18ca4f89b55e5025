/** The supervisor of a demo, on real processes: what it tells of them, and which it starts again. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { ProcessEvent } from '../../../scripts/demo/process-event.ts';
import {
  stopAll,
  supervise,
  type StopTurn,
  type SupervisedProcess,
} from '../../../scripts/demo/supervised-process.system.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tangaza-supervised-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Told extends AsyncDisposable {
  readonly process: SupervisedProcess;
  readonly events: readonly ProcessEvent[];
  readonly ends: () => readonly ProcessEvent[];
}

function run(script: string): Told {
  const events: ProcessEvent[] = [];
  const process = supervise(
    {
      name: 'one',
      command: 'sh',
      args: () => ['-c', script],
      logFile: join(folder, 'one.log'),
      stopTimeoutMs: 5000,
      refusedCode: 2,
      onEvent: (event) => void events.push(event),
    },
    systemClock,
  );
  process.start();
  const ends = (): readonly ProcessEvent[] => events.filter(({ kind }) => kind === 'ended');
  return { process, events, ends, [Symbol.asyncDispose]: () => process.stop() };
}

test('a process that says that it cannot work with what it was given is not started again, and its reason is told', async () => {
  await using one = run(
    'echo log; echo "the configuration is wrong" >&2; echo "  TANGAZA_X: bad" >&2; exit 2',
  );
  await expect.poll(() => one.ends()).toHaveLength(1);
  expect(one.ends()[0]).toMatchObject({
    how: { kind: 'code', code: 2 },
    lastWords: ['the configuration is wrong', '  TANGAZA_X: bad'],
    next: { kind: 'refused' },
  });
  await systemClock.sleep(400); // longer than it waits before it starts one again
  expect(one.events.filter(({ kind }) => kind === 'started')).toHaveLength(1);
});

test('one that crashes is started again, later each time', async () => {
  await using one = run('echo "something broke" >&2; exit 1');
  await expect.poll(() => one.ends().length).toBeGreaterThanOrEqual(3);
  const waits = one.ends().map((event) => (event.kind === 'ended' ? event.next : undefined));
  expect(waits.slice(0, 3)).toEqual([
    { kind: 'startsAgain', inMs: 250 },
    { kind: 'startsAgain', inMs: 500 },
    { kind: 'startsAgain', inMs: 1000 },
  ]);
  expect(one.ends()[0]).toMatchObject({ lastWords: ['something broke'] });
  expect(one.events.filter(({ kind }) => kind === 'started')[1]).toMatchObject({ isAgain: true });
});

test('each line of its output is told whole, a killed one by its signal, a stopped one as stopped', async () => {
  await using one = run(String.raw`printf 'a ä '; sleep 0.1; printf 'b\nc\n'; exec sleep 60`);
  const lines = () => one.events.flatMap((event) => (event.kind === 'line' ? [event.line] : []));
  await expect.poll(lines).toEqual(['a ä b', 'c']);
  process.kill(one.process.pid ?? 0, 'SIGKILL');
  await expect.poll(() => one.ends()).toHaveLength(1);
  expect(one.ends()[0]).toMatchObject({ how: { kind: 'signal', signal: 'SIGKILL' } });
  await expect.poll(lines).toEqual(['a ä b', 'c', 'a ä b', 'c']);
  await one.process.stop();
  expect(one.ends()[1]).toMatchObject({ next: { kind: 'wasStopped' } });
});

// As it once was: the first line of a node after the disk was full ended the demo, and all of its processes with it. Method: the log is a device
// that has no room, and then a file that has some; the process waits for that.
test('a full disk costs lines of the log alone: what is said is told all the same, and the log says how much it lacks', async () => {
  const log = join(folder, 'one.log');
  symlinkSync('/dev/full', log);
  await using one = run(`echo lost; while [ -e ${log} ]; do sleep 0.05; done; echo kept; exec sleep 60`);
  const lines = () => one.events.flatMap((event) => (event.kind === 'line' ? [event.line] : []));
  await expect.poll(lines).toEqual(['lost']);
  rmSync(log);
  await expect.poll(lines).toEqual(['lost', 'kept']);
  expect(readFileSync(log, 'utf8')).toBe('supervisor: 5 bytes could not be written here\nkept\n');
});

// As it once was: one after the other, each as long as its bound. Method: a node ends once the other was told to end, too.
test('all are stopped side by side, but what the others need after them and who needs the others before', async () => {
  const story = join(folder, 'story');
  const ending = (name: string, until: string, stopTurn?: StopTurn): SupervisedProcess => {
    const onTerm = `echo ${name} told >> ${story}; until ${until}; do sleep 0.05; done; echo ${name} ends >> ${story}; exit`;
    const process = supervise(
      {
        name,
        command: 'sh',
        args: () => [
          '-c',
          `trap '${onTerm}' TERM; echo ready >> ${story}.${name}; while true; do sleep 0.05; done`,
        ],
        logFile: join(folder, `${name}.log`),
        stopTimeoutMs: 5000,
        ...(stopTurn === undefined ? {} : { stopTurn }),
      },
      systemClock,
    );
    process.start();
    return process;
  };
  const bothTold = `[ "$(grep -c "node.* told" ${story})" = 2 ]`;
  const all = [
    ending('nats', 'true', 'last'),
    ending('node-1', bothTold),
    ending('node-2', bothTold),
    ending('publisher', 'true', 'first'),
  ];
  for (const { name } of all)
    await expect.poll(() => readFileSync(`${story}.${name}`, 'utf8')).toBe('ready\n');
  await stopAll(all);
  const told = readFileSync(story, 'utf8').trim().split('\n');
  expect({
    first: told.slice(0, 2),
    sideBySide: [...told.slice(2, 4).toSorted(), ...told.slice(4, 6).toSorted()],
    last: told.slice(6),
  }).toEqual({
    first: ['publisher told', 'publisher ends'],
    sideBySide: ['node-1 told', 'node-2 told', 'node-1 ends', 'node-2 ends'],
    last: ['nats told', 'nats ends'],
  });
});
