/**
 * Ends what a demo left running that was killed itself. Each of its processes was told to end by the kernel, as it lost its
 * supervisor (Linux), and nodes take some seconds for it; one that was frozen, or that nobody told, is ended here. None is
 * mistaken for another: it is known by its pid and the time at which it began.
 */
import { isRunning } from '../../config/process-identity.system.ts';
import { UnusableError } from '../../config/unusable.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { RunningProcess } from './running-demo.disk.ts';

/** As long as a node takes that is told to stop, and a little. */
const patienceMs = 12_000;
const killMs = 3000;
const lookMs = 100;

/** @throws UnusableError that names those that do not end */
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
      // Gone already.
    }
  }
}

const namesOf = (processes: readonly RunningProcess[]): string =>
  processes.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
