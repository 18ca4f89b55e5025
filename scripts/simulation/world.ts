/**
 * The simulated region: processes, the NATS between them, the view's bucket, and who can reach whom.
 *
 * Time passes on the agenda alone; each node has clocks of its own on top of it.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { emptyView, findMember, isLive, type View } from '../../cluster/membership/view.ts';
import { RegionId, type BootId, type NodeId } from '../../cluster/model/ids.ts';
import { Agenda } from './agenda.ts';
import type { Random } from './random.ts';

export const region = RegionId.parse('r1');

/** A process: what reaches a frozen one waits, what reaches a killed one is lost. */
export interface Process {
  readonly id: NodeId;
  boot: number;
  state: 'up' | 'killed' | 'frozen';
  isLinked: boolean;
  inbox: (() => void)[];
}

/** What NATS does with a request, and who hears of it. */
interface Request<T> {
  readonly apply: () => T;
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
}

const natsDelayMs = { least: 0.2, most: 8 } as const;
const requestTimeoutMs = 2000;
export const lossShare = 0.003;
const doubleShare = 0.005;
/** One of each for all, for their stacks say nothing and cost much. */
const timedOut = new TangazaError('LOG_UNAVAILABLE', 'simulated time-out');
const conflict = new TangazaError('CONFLICT', 'simulated: the view has changed');

export const isCut = (cuts: ReadonlySet<string>, from: NodeId, to: NodeId): boolean =>
  cuts.size > 0 && cuts.has(`${from}>${to}`);

export class World {
  readonly agenda = new Agenda();
  readonly random: Random;
  /** `{from}>{to}` pairs whose NATS messages, or HTTP requests, are lost. */
  readonly cutNats = new Set<string>();
  readonly cutHttp = new Set<string>();
  natsDownUntilMs = 0;
  writesRefusedUntilMs = 0;
  view: View = emptyView('simulated');
  viewRevision = 0;
  /** Since when each boot has been a member, in the life that it has now. */
  readonly #aliveSinceMs = new Map<BootId, number>();
  /** An answer was given to somebody who awaits it: promises must run before time goes on. */
  hasSettled = false;
  readonly #note: (what: string) => void;
  readonly #onView: () => void;

  /** @param onView the view has changed */
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

  /** The bucket of the view. @throws TangazaError `CONFLICT` */
  putView(view: View, revision: number): void {
    if (revision !== this.viewRevision) throw conflict;
    this.beginWith(view);
    this.#onView();
  }

  /** A view that needs not be told. */
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

  /** Whether a boot is a member, in the same life as at that time: it was not declared dead in between. */
  isInLifeOf(id: NodeId, bootId: BootId, atMs: number): boolean {
    const member = findMember(this.view, id);
    if (member?.bootId !== bootId || !isLive(member)) return false;
    return atMs >= (this.#aliveSinceMs.get(bootId) ?? 0);
  }

  delayMs(): number {
    return this.random.between(natsDelayMs.least, natsDelayMs.most);
  }

  /** Runs in that boot of the process after a while: later when it is frozen then, never when it is another boot. */
  inProcess(process: Process, afterMs: number, run: () => void): void {
    if (process.state === 'killed') return;
    const { boot } = process;
    this.agenda.after(afterMs, () => {
      if (process.boot !== boot || process.state === 'killed') return;
      if (process.state === 'frozen') process.inbox.push(() => process.boot === boot && run());
      else run();
    });
  }

  /** As `inProcess`, for who awaits it. */
  sleep(process: Process, ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      this.inProcess(process, ms, () => {
        this.hasSettled = true;
        resolve();
      });
    });
  }

  /** A message over NATS: may be lost, or come twice. */
  send(from: Process, to: Process, run: () => void): void {
    if (!this.reachesNats(from) || isCut(this.cutNats, from.id, to.id)) return;
    if (this.random.chance(lossShare)) return;
    const deliver = (): void => {
      if (this.reachesNats(to)) run();
    };
    this.inProcess(to, this.delayMs(), deliver);
    if (this.random.chance(doubleShare)) this.inProcess(to, this.delayMs(), deliver);
  }

  /** A request to NATS itself. Its effect may happen and its answer still be lost, which is told as `LOG_UNAVAILABLE`. */
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

  /** The same for who awaits it. @throws as promise: `LOG_UNAVAILABLE` */
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
