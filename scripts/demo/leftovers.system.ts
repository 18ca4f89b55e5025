/**
 * Ends what a killed demo left running. The kernel told each of its processes to end when it lost its supervisor (on Linux), and nodes need
 * some seconds for that. One that was frozen, or that nobody told, is ended here. A process is known by its pid and the time at which it
 * began, so none is mistaken for another.
 */
import { isRunning } from '../../config/process-identity.system.ts';
import { UnusableError } from '../../config/unusable.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { RunningProcess } from './running-demo.disk.ts';

/** The time that a node takes when it is told to stop, and a little more. */
const patienceMs = 12_000;
const killMs = 3000;
const lookMs = 100;

/** @throws UnusableError that names the processes that do not end */
export async function endLeftovers(
  left: readonly RunningProcess[],
  clock: Clock,
  { say, signal }: { readonly say: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (left.length === 0) return;
  say(`a demo that was killed left ${namesOf(left)}: waiting until they have ended`);
  for (const { pid } of left) send(pid, 'SIGTERM');
  const stubborn = await stillRunning(left, patienceMs, clock, signal);
  if (stubborn.length > 0) say(`${namesOf(stubborn)} did not end: killed`);
  for (const { pid } of stubborn) send(pid, 'SIGKILL');
  const immortal = await stillRunning(stubborn, killMs, clock, signal);
  if (immortal.length > 0)
    throw new UnusableError(
      `${namesOf(immortal)} of a demo that was killed cannot be ended: end them, or choose another folder with --data DIR`,
    );
}

async function stillRunning(
  processes: readonly RunningProcess[],
  withinMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<readonly RunningProcess[]> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  for (;;) {
    const left = processes.filter(isRunning);
    if (left.length === 0 || clock.monotonicMs() > deadlineMs) return left;
    await clock.sleep(lookMs, signal);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  for (const target of signal === 'SIGKILL' ? [-pid, pid] : [pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // It is gone already.
    }
  }
}

const namesOf = (processes: readonly RunningProcess[]): string =>
  processes.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
