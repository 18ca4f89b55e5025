/**
 * Answers for the streams that this node owns (activations.ts), and does for all of them what the node's life asks (C2).
 *
 * N1. After a restart the node takes up what it owned, to decide pending sources and to end broadcasts without publisher.
 * N2. When a node is gone, so are its worker and its sessions, and the streams that it owned are orphans (orphans.ts).
 * N3. A hand-over needs consent: the owner's queue runs empty, the successor claims the next epoch and names the old
 *     one, and the old activation ends. Its sessions hear `NOT_OWNER` with the new owner, attach there and offer again.
 * N4. A node that was declared dead gives up all activations, because others own those streams now.
 * N5. After a standstill of the process every owner reads its log's head before it appends again (C6).
 * N6. A node that stops stays, within a bound, until the sessions of streams that nobody took over have brought what
 *     they have. That includes sessions at other nodes that stop as well.
 */
import { offlineHealth } from '../../cluster/contract/offline-health.ts';
import type {
  AdoptParams,
  AttachParams,
  AttachReply,
  DetachCall,
  InputCall,
  InputReply,
  OfferParams,
  OpenPeriodParams,
  ReportReply,
  StandsStillReply,
} from '../../cluster/contract/stream-actions.ts';
import type { CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import type { TaskReport } from '../../cluster/contract/transcode-task.ts';
import { Gate } from '../../cluster/bounds/gate.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Epoch, NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import { lineOf, loadsOf, sessionsFirst, type Candidate } from '../../cluster/ownership/succession.ts';
import type { KnownOwnership } from '../../cluster/ownership/known-ownership.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';
import type { TaskQueue } from '../../cluster/queue/task-queue.ts';
import { noOtherRegions } from '../../cluster/region/other-regions.ts';
import type { Ladder } from '../media/ladder/ladder.ts';
import type { Activation } from './activation.ts';
import { Activations, maxActivations } from './activations.ts';
import { takeUpOwn, type ClaimPorts } from './succession/claim.ts';
import { handOver } from './succession/hand-over.ts';
import { actorMetrics, showLive, type ActorMetrics } from './actor-metrics.ts';
import type { OnAirTelling } from './on-air-telling.ts';
import { Orphans } from './succession/orphans.ts';
import { maxLogRecordsOf } from './owner/retention.ts';
import { Standstills } from './owner/standstills.ts';
import type { OwnerSettings } from './owner/owner-state.ts';
import { showStreams } from './stream-figures.ts';
import { headEveryMs, type Telling } from './told-regions.ts';
import type { Reply } from './waiting-calls.ts';

const tickMs = 100;
const defaultEndAfterMs = 60_000;
const defaultDvrWindowSeconds = 30 * 60;
const defaultRetentionSeconds = 24 * 3600;
const closeWithinMs = 2000;
/** Hand-overs at once. Each waits for its log and its successor, and all of a node's streams together have seconds. */
const handOversAtOnce = 8;
const sessionsLookMs = 20;
const loggedWithinMs = 2000;

export interface StreamOptions extends ClaimPorts {
  readonly ownership: KnownOwnership;
  readonly queue: TaskQueue;
  /** Ladders by name. A stream that names an unknown one gets `default`. */
  readonly ladders: ReadonlyMap<string, Ladder>;
  /** The fingerprint of this region's encoders (C9). */
  readonly fingerprint: string;
  /** How far the wall clock of another region is ahead; by default it is not. */
  readonly aheadMs?: OwnerSettings['aheadMs'];
  readonly metrics: Metrics;
  /** Nodes that may own streams. */
  readonly candidates: () => readonly Candidate[];
  /** Asks that node to take a stream over (N3). @throws TangazaError */
  readonly askToAdopt: (node: NodeId, params: AdoptParams) => Promise<unknown>;
  /** A broadcast is over when it has had no publisher for so long; 60 s. */
  readonly endAfterMs?: number;
  /** How much a manifest shows; 30 min. */
  readonly dvrWindowSeconds?: number;
  /** How much is kept at all; 24 h (M14). */
  readonly retentionSeconds?: number;
  /** Tells the ingests that a session must close; nothing waits for it. */
  readonly closeSessions: (params: CloseSessionsParams) => void;
  /** Tells other regions of this node's streams; absent where there are no other regions. */
  readonly telling?: OnAirTelling;
  /** Who is told of the owners' logs. By default there is no other region. */
  readonly others?: Telling;
  /** A stop waits some seconds at most for this, so that sessions which close here may still offer. */
  readonly stopAfter?: Promise<void>;
}

export class StreamActor {
  readonly #options: StreamOptions;
  readonly #activations: Activations;
  readonly #gauges: Omit<ActorMetrics, 'events'>;
  #stopTicking: (() => void) | undefined;
  #stopTelling: (() => void) | undefined;
  readonly #orphans: Orphans;
  readonly #standstills: Standstills;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { metrics } = options;
    const { events, ...gauges } = actorMetrics(metrics);
    this.#gauges = gauges;
    const { others = noOtherRegions } = options;
    const activations = new Activations({ ...options, others, settings: settingsOf(options), events });
    this.#activations = activations;
    const adopt = (stream: StreamId, reason: string): Promise<Activation> =>
      activations.activate(stream, { reason });
    const isActive = (stream: StreamId): boolean => activations.has(stream);
    this.#orphans = new Orphans({ ...options, adopt, isActive, own: () => activations.live });
    this.#standstills = new Standstills({
      ...options,
      mayTake: () => activations.mayTake,
      successors: (stream) => this.#successors(stream),
      adopt: (node, params) => (node === options.node ? this.adopt(params) : this.#giveUp(node, params)),
    });
    showStreams(metrics, () => activations.live.map((one) => one.figures()));
  }

  /** Starts the ticks that keep deadlines, and takes up what an earlier boot of this node owned (N1). */
  async start(): Promise<void> {
    const { clock, others = noOtherRegions } = this.#options;
    this.#stopTicking = clock.every(tickMs, () => this.#tick());
    if (others.regions.length > 0) this.#stopTelling = clock.every(headEveryMs, () => this.#tellHeads());
    await takeUpOwn(
      this.#options,
      (stream) => this.#activations.isClosed || this.#activations.activate(stream),
    );
    this.#orphans.start();
  }

  /** @throws TangazaError `NOT_OWNER` with `data.owner`; `STREAM_BUSY`, `PUBLISHER_BLOCKED`, `OVERLOADED`, `LOG_UNAVAILABLE` */
  async attach(params: AttachParams): Promise<Reply> {
    const publish = { isPublished: true };
    const found = await this.#activations.activate(params.streamId, publish);
    // A broadcast that is just ending is over in a moment; a new one then begins under a new epoch.
    if (found.isLeaving) await found.over(closeWithinMs);
    const activation = found.isUsable ? found : await this.#activations.activate(params.streamId, publish);
    return activation.ask({ kind: 'attach', params });
  }

  /** @throws TangazaError `STALE_EPOCH` (attach again), `CONFLICT`, `CODEC_REFUSED`, `LOG_UNAVAILABLE`, … */
  async openPeriod(params: OpenPeriodParams): Promise<Reply> {
    const activation = await this.#activations.active(params.streamId);
    return activation.ask({ kind: 'openPeriod', params });
  }

  /** @throws TangazaError `STALE_EPOCH` (attach again), `BAD_REQUEST`, `CONFLICT` (open a period), `OVERLOADED` (offer again) */
  async offer(params: OfferParams): Promise<Reply> {
    const activation = await this.#activations.active(params.streamId);
    return activation.ask({ kind: 'offer', params });
  }

  /** @throws TangazaError `STALE_EPOCH` (attach again), `LOG_UNAVAILABLE` when nobody can tell who owns the stream */
  async input({ epoch, ...report }: InputCall): Promise<InputReply> {
    const activation = await this.#findFor(report.streamId, epoch);
    if (activation === undefined) await this.#refuseUnlessOver(report.streamId);
    activation?.tell({ kind: 'input', report });
    const isStaying = (node: NodeId): boolean => this.#options.candidates().some(({ id }) => id === node);
    return activation?.inputReply(report.sessionId, isStaying) ?? { sequence: 0, feedsElsewhere: false };
  }

  /**
   * Answers when all that the session has brought is in the log. Until then the session must stay, to offer it to a
   * successor. While the log is silent it waits only briefly (C8).
   *
   * @throws TangazaError `STALE_EPOCH` (attach again, offer again) when another owner must confirm that, or this one
   *   gives the stream up
   */
  async detach({ epoch, ...params }: DetachCall): Promise<void> {
    const activation = await this.#activations.find(params.streamId);
    if (activation?.epoch !== epoch) return this.#refuseUnlessOver(params.streamId);
    activation.tell({ kind: 'detach', params });
    await activation.logged(loggedWithinMs);
  }

  /** Refuses a session of another owner's stream. When the broadcast is over, the session has nothing to wait for. */
  async #refuseUnlessOver(stream: StreamId): Promise<void> {
    const tail = await this.#options.log.tail(stream);
    if (tail !== undefined && tail.record.kind !== 'end')
      throw new TangazaError('STALE_EPOCH', `${stream} has another owner: attach again.`);
  }

  /** Passes a worker's report on. A former owner wants no output: its successor has emitted the task again (C2). */
  async report(report: TaskReport): Promise<ReportReply> {
    const activation = await this.#activations.find(report.streamId);
    activation?.tell({ kind: 'report', report });
    return { isWanted: activation?.isWanted(report) ?? false };
  }

  /** Health as this node knows it. For a stream that is not active here it says what the ownership record says. */
  async health(stream: StreamId): Promise<StreamHealth> {
    const { ownership, clock } = this.#options;
    const active = await this.#activations.find(stream);
    if (active !== undefined) return active.health(await this.#successorsOf(active));
    const { value: record } = await ownership.known(stream);
    const reason = record === undefined ? 'It has not been on air yet.' : 'No publisher is connected.';
    return offlineHealth(reason, clock.utcMs(), { record });
  }

  async stop(): Promise<void> {
    await this.#options.stopAfter;
    this.#activations.close();
    this.#orphans.stop();
    this.#stopTicking?.();
    this.#stopTelling?.();
    await this.#activations.end(closeWithinMs);
  }

  /** Drops the worker and the sessions of a node that is gone, and looks for its orphans (N2). */
  onNodeGone(node: NodeId): void {
    for (const activation of this.#activations.live) activation.tell({ kind: 'nodeGone', node });
    void this.#orphans.look();
  }

  /** Makes every owner here read its log's head before it appends again (N5). */
  onThaw(frozenMs: number): void {
    this.#options.logger.warn({ frozenMs }, 'this process stood still');
    for (const activation of this.#activations.live) activation.thaw();
  }

  /** Gives up all activations, because others own those streams now (N4). */
  async onDeclaredDead(): Promise<void> {
    await Promise.all(this.#activations.live.map((activation) => activation.close(closeWithinMs)));
  }

  /** Takes a stream that its owner gives to this node (N3). @throws TangazaError `NOT_OWNER` when it was not the owner's to give */
  async adopt({ streamId, from, epoch, reason, sessions }: AdoptParams): Promise<AttachReply> {
    const activation = await this.#activations.activate(streamId, {
      reason: reason ?? `handed over by ${from}`,
      mayTakeFrom: (former) => former.owner === from && former.epoch === epoch,
      feeding: sessions,
    });
    return { epoch: activation.epoch };
  }

  /** A session of this node waits for an owner that may stand still (standstills.ts). */
  standsStill(stream: StreamId): Promise<StandsStillReply> {
    return this.#standstills.look(stream);
  }

  /**
   * Gives every stream of this node to the next node in line, some at once (N3), and claims nothing new (activations.ts D4).
   *
   * @returns the streams that this node still owns or is about to own, for lack of a candidate, of time or of an answer
   */
  async handOverAll(signal: AbortSignal): Promise<readonly StreamId[]> {
    this.#activations.drain();
    this.#orphans.stop();
    const { candidates, node } = this.#options;
    const mayGoOn = (): boolean => !signal.aborted && candidates().some(({ id }) => id !== node);
    const gate = new Gate({ about: 'a hand-over', running: handOversAtOnce, waiting: maxActivations });
    const next = async (one: Activation): Promise<void> => {
      if (mayGoOn() && one.isUsable) await this.#handOver(one, signal);
    };
    await Promise.all(this.#activations.live.map((one) => gate.run(() => next(one))));
    return this.#activations.streams;
  }

  /** Resolves when no session feeds a stream of this node any more, or after `withinMs` (N6). */
  async sessionsGone(withinMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.runningMs() + withinMs;
    const isFed = (): boolean =>
      this.#activations.isOpening || this.#activations.live.some(({ feeding }) => feeding.length > 0);
    while (isFed() && clock.runningMs() < deadlineMs) await clock.sleep(sessionsLookMs);
  }

  async #handOver(activation: Activation, signal: AbortSignal): Promise<void> {
    const { stream } = activation;
    try {
      const [to] = await this.#successorsOf(activation);
      if (to === undefined) throw new TangazaError('UNAVAILABLE', `Nobody else could own ${stream}.`);
      await handOver(activation, to, this.#options, signal);
    } catch (error) {
      this.#options.logger.warn({ stream, err: error }, 'could not hand a stream over');
    }
  }

  /** Gives a stream whose owner here stands still to another node. */
  async #giveUp(to: NodeId, params: AdoptParams): Promise<void> {
    await this.#options.askToAdopt(to, params);
    await this.#activations.endOne(params.streamId, closeWithinMs);
  }

  /** The nodes that would take the stream over, best first. */
  async #successorsOf({ stream, feeding }: Activation): Promise<readonly NodeId[]> {
    return sessionsFirst(await this.#successors(stream), feeding);
  }

  /** The same, from the succession line alone, for a stream whose sessions are not known here. */
  async #successors(stream: StreamId): Promise<readonly NodeId[]> {
    const { candidates, ownership, node } = this.#options;
    const known = await ownership.allKnown().catch(() => ({ value: new Map<StreamId, OwnershipRecord>() }));
    return lineOf(stream, candidates(), loadsOf(known.value)).filter((one) => one !== node);
  }

  /** How many streams of this node are on air. */
  onAir(): number {
    return this.#activations.live.filter(({ isOnAir }) => isOnAir).length;
  }

  #tellHeads(): void {
    for (const activation of this.#activations.live) activation.tellHead();
  }

  #tick(): void {
    for (const activation of this.#activations.live) activation.tell({ kind: 'tick' });
    this.#options.telling?.look(this.#activations.live, this.#options.clock.monotonicMs());
    showLive(this.#gauges, this.#activations.live);
    this.#gauges.orphans.set(this.#orphans.underWay);
  }

  /**
   * Finds the owner for what a session that is attached under `epoch` says of itself. A later owner may hear it, because the
   * session attaches there with its next offer. An earlier owner does not know yet that it has a successor.
   */
  async #findFor(stream: StreamId, epoch: Epoch): Promise<Activation | undefined> {
    const found = await this.#activations.find(stream);
    if (found === undefined || found.epoch >= epoch) return found;
    throw new TangazaError('STALE_EPOCH', `${stream} was taken over from this node: attach again.`);
  }
}

function settingsOf(options: StreamOptions): OwnerSettings {
  const { ladders, fingerprint, dvrWindowSeconds = defaultDvrWindowSeconds } = options;
  return {
    ladders,
    fingerprint,
    endAfterMs: options.endAfterMs ?? defaultEndAfterMs,
    dvrWindowMs: dvrWindowSeconds * 1000,
    retentionMs: (options.retentionSeconds ?? defaultRetentionSeconds) * 1000,
    maxLogRecords: maxLogRecordsOf(dvrWindowSeconds),
    aheadMs: options.aheadMs ?? (() => 0),
  };
}
