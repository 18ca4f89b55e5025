/**
 * Identifies a process beyond its pid, as pids are used again. `startOf` names the time at which a process began. The text is equal for the
 * same process and differs between two, also after a restart of the machine.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const psTimeoutMs = 2000;

export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** When that process began. Undefined when there is none, or only one that has ended and waits for its parent. */
export function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startByProc(pid) : startByPs(pid);
}

export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return startOf(pid) === started;
}

/** Field 22 of `/proc/PID/stat` (proc(5)): clock ticks since the machine started. The name in field 2 may contain blanks and brackets. */
function startByProc(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields[18];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return `${readText('/proc/sys/kernel/random/boot_id').trim()}/${ticks}`;
}

function startByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: psTimeoutMs,
  });
  return stdout?.trim() || undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
