/**
 * The publishers of one node: authenticates each one, attaches it to its stream's owner, and runs it until it goes
 * (C2).
 */
import { type AttachParams, type AttachReply } from '../../cluster/contract/stream-actions.ts';
import { type CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import type { AuthenticateReply } from '../../cluster/contract/control-actions.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { NodeId, SessionId, StreamId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { within } from '../../cluster/time/within.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import type { IngestSessionApi } from './ingest-events.ts';
import type { IngestHandler, PublisherConnection, PublishRequest, TagSink } from './ingest-port.ts';
import { WaitingPublishers } from './owner/waiting-publishers.ts';
import { runnerMetrics, type OwnerCalls, type RunnerMetrics } from './runner-ports.ts';
import { SessionRunner } from './session-runner.ts';

export interface IngestSessionsPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly store: SegmentStore;
  readonly stream: OwnerCalls;
  /** @throws TangazaError `STREAM_KEY_UNKNOWN` */
  readonly authenticate: (streamKey: string) => Promise<AuthenticateReply>;
  /** Where a publisher of the stream may go when this node drains; undefined when there is no such place. */
  readonly otherIngest: (stream: StreamId) => string | undefined;
  readonly newSessionId: () => SessionId;
  readonly newSession: () => IngestSessionApi;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

interface Publisher {
  readonly runner: SessionRunner;
  readonly connection: PublisherConnection;
  /** Whether it was asked to connect elsewhere. */
  isAsked: boolean;
}

const longestKey = 200;
const highestPriority = 1000;
const attachWithinMs = 1000;

export class IngestSessions implements IngestHandler {
  readonly #ports: IngestSessionsPorts;
  readonly #metrics: RunnerMetrics;
  readonly #publishers = new Map<SessionId, Publisher>();
  readonly #waitingPublishers: WaitingPublishers;
  #ticks = 0;
  #isLeaving = false;

  constructor(ports: IngestSessionsPorts) {
    this.#ports = ports;
    this.#metrics = runnerMetrics(ports.metrics);
    this.#waitingPublishers = new WaitingPublishers(ports);
  }

  get size(): number {
    return this.#publishers.size;
  }

  /** @throws TangazaError with which the publisher is refused */
  async onPublish(request: PublishRequest, connection: PublisherConnection): Promise<TagSink> {
    if (request.streamKey.length > longestKey) throw new TangazaError('STREAM_KEY_UNKNOWN');
    const { logger, newSession, newSessionId, node } = this.#ports;
    const { streamId, ladder } = await this.#ports.authenticate(request.streamKey);
    const elsewhere = this.#isLeaving ? this.#ports.otherIngest(streamId) : undefined;
    if (elsewhere !== undefined)
      throw new TangazaError('UNAVAILABLE', `this node is being drained: publish to ${elsewhere}`);
    const { remoteAddress, encoder } = request;
    const attach: AttachParams = {
      streamId,
      sessionId: newSessionId(),
      node,
      remoteAddress,
      priority: priorityOf(request.query),
      ladder,
      ...(encoder === undefined ? {} : { encoder }),
    };
    const attached = await this.#waitingPublishers.attach(attach);
    const { sessionId } = attach;
    const sessionLogger = logger.child({ streamId, sessionId });
    sessionLogger.info({ remoteAddress, encoder, epoch: attached.epoch }, 'a publisher is on air');
    const ports = { ...this.#ports, metrics: this.#metrics, logger: sessionLogger };
    const runner = new SessionRunner(ports, { session: newSession(), connection, attach, attached });
    this.#publishers.set(sessionId, { runner, connection, isAsked: false });
    void runner.finished.then(() => this.#publishers.delete(sessionId));
    await this.#closeGhost(attach, attached);
    return runner;
  }

  /**
   * Closes the session that a new one superseded. If its node cannot be told, that session ends by its own time-outs.
   */
  async #closeGhost({ streamId }: AttachParams, { supersedes, epoch }: AttachReply): Promise<void> {
    if (supersedes === undefined) return;
    const { stream, node, logger } = this.#ports;
    const params = {
      streamId,
      sessionId: supersedes.sessionId,
      reason: 'superseded by a new connection with the same key',
      epoch,
    };
    if (supersedes.node === node) return this.close(params);
    await stream.closeSessions(supersedes.node, params).catch((error: unknown) => {
      logger.warn(
        { streamId, node: supersedes.node, code: errorCodeOf(error) },
        'could not close the superseded session; it ends by its own time-outs',
      );
    });
  }

  /** Closes one session, or all of the stream. A former owner closes no session of its successor's. */
  close({ streamId, sessionId, reason, epoch, code }: CloseSessionsParams): void {
    const usualCode = sessionId === undefined ? 'STREAM_KEY_UNKNOWN' : 'STREAM_BUSY';
    for (const { runner } of [...this.#publishers.values()]) {
      if (runner.attach.streamId !== streamId) continue;
      if (epoch !== undefined && epoch < runner.owner.epoch) continue;
      if (sessionId !== undefined && runner.attach.sessionId !== sessionId) continue;
      runner.close(code ?? usualCode, reason);
    }
  }

  /** Ends each session at its next cut, because the node drains: so no segment is half lost (C2). */
  closeAtKeyframe(): void {
    for (const { runner } of this.#publishers.values()) runner.closeAtKeyframe();
  }

  /**
   * Asks the publishers to leave, because the node drains. A session whose twin feeds the stream elsewhere ends at its
   * next cut. Each of the others whose encoder understands it is asked once to connect elsewhere. It comes there as a
   * twin, is recognised, and this session ends (C2).
   */
  async askToLeave(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all([...this.#publishers.values()].map((publisher) => this.#askOne(publisher)));
  }

  async #askOne(publisher: Publisher): Promise<void> {
    const { runner, connection, isAsked } = publisher;
    if (runner.owner.feedsElsewhere) return runner.closeAtKeyframe();
    const url = this.#ports.otherIngest(runner.attach.streamId);
    if (isAsked || url === undefined) return;
    publisher.isAsked = true;
    // The stream's owner was here. The new owner must know this session before its twin comes.
    await within(runner.owner.ownerGone(), { clock: this.#ports.clock, ms: attachWithinMs, late: () => {} });
    if (connection.requestReconnect(url))
      this.#ports.logger.info({ ...idsOf(runner), url }, 'the publisher is asked to connect elsewhere');
  }

  /** The owner of these streams is gone: their sessions attach to the next owner, here or elsewhere. */
  ownerGone(streams: readonly StreamId[]): void {
    for (const { runner } of this.#publishers.values())
      if (streams.includes(runner.attach.streamId)) void runner.owner.ownerGone();
  }

  /** Called every 500 ms. Every second call sends the input reports. */
  tick(): void {
    this.#ticks += 1;
    let heldBytes = 0;
    for (const { runner } of [...this.#publishers.values()]) {
      runner.onTick();
      heldBytes += runner.heldBytes;
      if (this.#ticks % 2 !== 0) continue;
      void runner.report();
      void runner.owner.look();
    }
    if (this.#ticks % 2 === 0) this.#waitingPublishers.look();
    this.#metrics.sessions.set(this.#publishers.size);
    this.#metrics.heldBytes.set(heldBytes);
  }

  /**
   * Waits until the sessions, which the port has closed, have offered what they have. After `withinMs` the rest is
   * lost.
   */
  async drain(withinMs: number): Promise<void> {
    const runners = [...this.#publishers.values()].map(({ runner }) => runner);
    const finished = Promise.all(runners.map((runner) => runner.finished));
    const inTime = finished.then(() => false);
    const late = await within(inTime, { clock: this.#ports.clock, ms: withinMs, late: () => true });
    if (late) for (const runner of runners) runner.abort();
  }
}

function idsOf({ attach: { streamId, sessionId } }: SessionRunner) {
  return { streamId, sessionId };
}

function priorityOf(query: Readonly<Record<string, string>>): number {
  const priority = Math.trunc(Number(query['priority'] ?? '0'));
  return Number.isFinite(priority) ? Math.max(-highestPriority, Math.min(priority, highestPriority)) : 0;
}
