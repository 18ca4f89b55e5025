/**
 * The simulated region: processes, the NATS between them, the bucket of the view, and who can reach whom.
 *
 * Only the agenda lets time pass. Each node has its own clocks on top of it.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { emptyView, findMember, isLive, type View } from '../../cluster/membership/view.ts';
import { RegionId, type BootId, type NodeId } from '../../cluster/model/ids.ts';
import { Agenda } from './agenda.ts';
import type { Random } from './random.ts';

export const region = RegionId.parse('r1');

/** A process. What reaches a frozen one waits, and what reaches a killed one is lost. */
export interface Process {
  readonly id: NodeId;
  boot: number;
  state: 'up' | 'killed' | 'frozen';
  isLinked: boolean;
  inbox: (() => void)[];
}

/** What NATS does with a request, and who gets the answer. */
interface Request<T> {
  readonly apply: () => T;
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
}

const natsDelayMs = { least: 0.2, most: 8 } as const;
const requestTimeoutMs = 2000;
export const lossShare = 0.003;
const doubleShare = 0.005;
/** One of each for all, as their stacks say nothing and cost much. */
const timedOut = new TangazaError('LOG_UNAVAILABLE', 'simulated time-out');
const conflict = new TangazaError('CONFLICT', 'simulated: the view has changed');

export const isCut = (cuts: ReadonlySet<string>, from: NodeId, to: NodeId): boolean =>
  cuts.size > 0 && cuts.has(`${from}>${to}`);

export class World {
  readonly agenda = new Agenda();
  readonly random: Random;
  /** Pairs `{from}>{to}` whose NATS messages, or HTTP requests, are lost. */
  readonly cutNats = new Set<string>();
  readonly cutHttp = new Set<string>();
  natsDownUntilMs = 0;
  writesRefusedUntilMs = 0;
  view: View = emptyView('simulated');
  viewRevision = 0;
  /** Since when each boot has been a member in its present life. */
  readonly #aliveSinceMs = new Map<BootId, number>();
  /** An answer was given to code that awaits it, so promises must run before time passes. */
  hasSettled = false;
  readonly #note: (what: string) => void;
  readonly #onView: () => void;

  /** @param onView called when the view has changed */
  constructor(random: Random, note: (what: string) => void, onView: () => void) {
    this.random = random;
    this.#note = note;
    this.#onView = onView;
  }

  get nowMs(): number {
    return this.agenda.nowMs;
  }

  note(what: string): void {
    this.#note(`${this.nowMs.toFixed(1)} ${what}`);
  }

  reachesNats({ isLinked, state }: Process): boolean {
    return isLinked && state !== 'killed' && this.nowMs >= this.natsDownUntilMs;
  }

  takesWrites(process: Process): boolean {
    return this.reachesNats(process) && this.nowMs >= this.writesRefusedUntilMs;
  }

  /** Writes the view to the bucket. @throws TangazaError `CONFLICT` */
  putView(view: View, revision: number): void {
    if (revision !== this.viewRevision) throw conflict;
    this.beginWith(view);
    this.#onView();
  }

  /** Sets the first view, which nobody needs to be told of. */
  beginWith(view: View): void {
    for (const member of view.members) {
      const before = findMember(this.view, member.id);
      if (before === member || !isLive(member)) continue;
      const isSameLife = before?.bootId === member.bootId && before.incarnation === member.incarnation;
      if (!isSameLife) this.#aliveSinceMs.set(member.bootId, this.nowMs);
    }
    this.view = view;
    this.viewRevision += 1;
  }

  /** Says whether a boot is still a member in the same life as at that time, so that it was not declared dead in between. */
  isInLifeOf(id: NodeId, bootId: BootId, atMs: number): boolean {
    const member = findMember(this.view, id);
    if (member?.bootId !== bootId || !isLive(member)) return false;
    return atMs >= (this.#aliveSinceMs.get(bootId) ?? 0);
  }

  delayMs(): number {
    return this.random.between(natsDelayMs.least, natsDelayMs.most);
  }

  /** Runs in that boot of the process after a while: later when it is frozen then, never when another boot has begun. */
  inProcess(process: Process, afterMs: number, run: () => void): void {
    if (process.state === 'killed') return;
    const { boot } = process;
    this.agenda.after(afterMs, () => {
      if (process.boot !== boot || process.state === 'killed') return;
      if (process.state === 'frozen') process.inbox.push(() => process.boot === boot && run());
      else run();
    });
  }

  /** Like `inProcess`, for code that awaits it. */
  sleep(process: Process, ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      this.inProcess(process, ms, () => {
        this.hasSettled = true;
        resolve();
      });
    });
  }

  /** Sends a message over NATS, which may be lost or come twice. */
  send(from: Process, to: Process, run: () => void): void {
    if (!this.reachesNats(from) || isCut(this.cutNats, from.id, to.id)) return;
    if (this.random.chance(lossShare)) return;
    const deliver = (): void => {
      if (this.reachesNats(to)) run();
    };
    this.inProcess(to, this.delayMs(), deliver);
    if (this.random.chance(doubleShare)) this.inProcess(to, this.delayMs(), deliver);
  }

  /** Sends a request to NATS itself. It may take effect although its answer is lost, which is reported as `LOG_UNAVAILABLE`. */
  request<T>(process: Process, kind: 'read' | 'write', { apply, done, failed }: Request<T>): void {
    const silence = (): void => this.inProcess(process, requestTimeoutMs, () => failed(timedOut));
    this.agenda.after(this.delayMs(), () => {
      const isTaken = kind === 'write' ? this.takesWrites(process) : this.reachesNats(process);
      if (!isTaken) return silence();
      try {
        const value = apply();
        if (this.random.chance(lossShare)) silence();
        else this.inProcess(process, this.delayMs(), () => done(value));
      } catch (error) {
        this.inProcess(process, this.delayMs(), () => failed(error));
      }
    });
  }

  /** The same for code that awaits it. @throws as promise: `LOG_UNAVAILABLE` */
  ask<T>(process: Process, kind: 'read' | 'write', apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.request(process, kind, {
        apply,
        done: (value) => {
          this.hasSettled = true;
          resolve(value);
        },
        failed: (error) => {
          this.hasSettled = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      });
    });
  }
}
