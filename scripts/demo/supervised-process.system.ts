/**
 * Keeps one child process alive, with its output in a bounded log file, and makes sure that it never outlives us.
 *
 * - The child gets SIGTERM when its supervisor dies, however it dies (`setpriv --pdeathsig`, Linux).
 * - The child runs in a process group of its own. So Ctrl-C reaches the supervisor alone, which then stops everything in order.
 * - After an unexpected exit the child is started again. The pause grows from 0.25 s to 5 s, and begins anew after 30 s without an
 *   exit. It is not started again after the exit code that says that it cannot work with its settings.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../cluster/time/clock.ts';
import { openBoundedLog, type BoundedLog } from './bounded-log.disk.ts';
import { linesInto } from './lines.ts';
import { describeEnding, type AfterEnding, type Ending, type ProcessEvent } from './process-event.ts';

export type StopTurn = 'first' | 'last';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  /** Asked again at each start. */
  readonly args: () => readonly string[];
  /** Added to our own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** After SIGTERM the child has this long before the whole group gets SIGKILL. */
  readonly stopTimeoutMs: number;
  /** After this exit code it is not started again. By default none. */
  readonly refusedCode?: number;
  /** When all are stopped: before the rest, or when the rest has ended. */
  readonly stopTurn?: StopTurn;
  readonly onEvent?: (event: ProcessEvent) => void;
}

const mostLastWords = 20;
const restart = { firstMs: 250, mostMs: 5000, peaceMs: 30_000 } as const;

export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly stopTurn: StopTurn | undefined;
  start(): void;
  stop(): Promise<void>;
  /** Sends SIGKILL to it and its own children, without waiting. */
  killNow(): void;
  /** Kills it and leaves it dead until `start`, for drills. Resolves with how it ended: its exit code, or the signal. */
  kill(signal: NodeJS.Signals): Promise<string>;
}

export function supervise(spec: ProcessSpec, clock: Clock): SupervisedProcess {
  return new Supervised(spec, clock);
}

/** Those of one turn side by side: all of them take as long as the slowest, within its own bound. */
export async function stopAll(
  processes: readonly Pick<SupervisedProcess, 'stopTurn' | 'stop'>[],
): Promise<void> {
  for (const turn of ['first', undefined, 'last'] as const)
    await Promise.all(processes.filter(({ stopTurn }) => stopTurn === turn).map((one) => one.stop()));
}

class Supervised implements SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #clock: Clock;
  readonly #log: BoundedLog;
  #child: ChildProcess | undefined;
  #isWanted = false;
  #startedMs = 0;
  #waitMs: number = restart.firstMs;
  #wake = new AbortController();
  #lastWords: string[] = [];
  restarts = 0;

  constructor(spec: ProcessSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
    this.#log = openBoundedLog(spec.logFile);
  }

  get name(): string {
    return this.#spec.name;
  }

  get stopTurn(): StopTurn | undefined {
    return this.#spec.stopTurn;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#wake = new AbortController();
    this.#spawn();
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#wake.abort();
    const child = this.#child;
    if (child !== undefined) {
      signalGroup(child, 'SIGTERM');
      await this.#gone(child, this.#spec.stopTimeoutMs);
    }
    this.#log.close();
  }

  killNow(): void {
    this.#isWanted = false;
    this.#wake.abort();
    if (this.#child !== undefined) signalGroup(this.#child, 'SIGKILL');
  }

  async kill(signal: NodeJS.Signals): Promise<string> {
    this.#isWanted = false;
    this.#wake.abort();
    const child = this.#child;
    if (child === undefined) return 'it did not run';
    signalGroup(child, signal);
    await this.#gone(child, this.#spec.stopTimeoutMs);
    return String(child.exitCode ?? child.signalCode);
  }

  #spawn(): void {
    const { command, args, env, name } = this.#spec;
    const [file, argv] = onLeash(command, args());
    this.#startedMs = this.#clock.monotonicMs();
    const child = spawn(file, argv, {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#lastWords = [];
    this.#follow(child);
    if (child.pid !== undefined)
      this.#tell({ kind: 'started', name, pid: child.pid, isAgain: this.restarts > 0 });
    child.once('error', (error) => void this.#closed(child, { kind: 'notStarted', why: error.message }));
    child.once(
      'close',
      (code, signal) =>
        void this.#closed(
          child,
          signal === null ? { kind: 'code', code: code ?? 0 } : { kind: 'signal', signal },
        ),
    );
  }

  #tell(event: ProcessEvent): void {
    this.#spec.onEvent?.(event);
  }

  #follow(child: ChildProcess): void {
    const { name } = this.#spec;
    const tell = linesInto((line) => this.#tell({ kind: 'line', name, line }));
    const keep = linesInto((line) => {
      this.#lastWords = [...this.#lastWords, line].slice(-mostLastWords);
      this.#tell({ kind: 'line', name, line });
    });
    child.stdout?.on('data', (bytes: Buffer) => {
      this.#log.write(bytes);
      tell(bytes);
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#log.write(bytes);
      keep(bytes);
    });
  }

  async #closed(child: ChildProcess, how: Ending): Promise<void> {
    if (this.#child !== child) return;
    this.#child = undefined;
    const lastedMs = this.#clock.monotonicMs() - this.#startedMs;
    if (lastedMs > restart.peaceMs) this.#waitMs = restart.firstMs;
    const next = this.#afterwards(how);
    this.#tell({ kind: 'ended', name: this.name, how, lastWords: this.#lastWords, next });
    if (next.kind !== 'startsAgain') return;
    this.#log.write(
      Buffer.from(
        `supervisor: ${this.name} ended (${describeEnding(how)}); starts again in ${next.inMs} ms\n`,
      ),
    );
    await this.#clock.sleep(next.inMs, this.#wake.signal).catch(() => {});
    this.#waitMs = Math.min(this.#waitMs * 2, restart.mostMs);
    if (!this.#isWanted || this.#child !== undefined) return;
    this.restarts += 1;
    this.#spawn();
  }

  #afterwards(how: Ending): AfterEnding {
    if (!this.#isWanted) return { kind: 'wasStopped' };
    if (how.kind === 'code' && how.code === this.#spec.refusedCode) {
      this.#isWanted = false;
      return { kind: 'refused' };
    }
    return { kind: 'startsAgain', inMs: this.#waitMs };
  }

  async #gone(child: ChildProcess, withinMs: number): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    const timer = new AbortController();
    const late = this.#clock.sleep(withinMs, timer.signal).then(
      () => signalGroup(child, 'SIGKILL'),
      () => {},
    );
    await closed;
    timer.abort();
    await late;
  }
}

/** SIGKILL goes to the whole group. A milder signal goes to the process alone, which stops its own children in order. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
  } catch {
    // It is gone already.
  }
}

const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;

function onLeash(command: string, args: readonly string[]): [string, string[]] {
  return hasSetpriv ? ['setpriv', ['--pdeathsig', 'TERM', '--', command, ...args]] : [command, [...args]];
}
