/**
 * The RTMP server behind the ingest port (M15): our own sockets, node-media-server's handshake, our own chunk reader.
 *
 * When all places are taken, a new connection takes the place of the oldest one that has not asked to publish or was
 * refused, so that neither keeps a publisher out. When all places belong to publishers, it is let in just far enough to be
 * told so.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { isOverWithin } from '../../../cluster/time/within.ts';
import type { IngestHandler, IngestLimits, IngestPort } from '../ingest-port.ts';
import { RtmpConnection } from './rtmp-connection.rtmp.ts';

export const defaultIngestLimits: IngestLimits = {
  handshakeTimeoutMs: 5000,
  silenceTimeoutMs: 10_000,
  maxConnections: 200,
  maxMessageBytes: 8 * 1024 * 1024,
};

/** Connections above the limit that may hear why they are refused. */
const maxOverflow = 32;
const checkEveryMs = 250;
/** Log lines about refused connections, each second; the rest is counted. */
const maxFaultLinesPerSecond = 20;
/** How long peers have to read their last status before their sockets are destroyed. */
const stopLingerMs = 500;

export interface RtmpIngestOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly limits: IngestLimits;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export function openRtmpIngest(options: RtmpIngestOptions): IngestPort {
  return new RtmpIngest(options);
}

class RtmpIngest implements IngestPort {
  readonly #options: RtmpIngestOptions;
  readonly #connections = new Map<string, RtmpConnection>();
  readonly #sockets = new Set<Socket>();
  readonly #metrics: ReturnType<typeof ingestMetrics>;
  #server: Server | undefined;
  #stopChecks: (() => void) | undefined;
  #nextId = 0;
  #faultLines = 0;
  #faultSecond = 0;
  #isStopping = false;

  constructor(options: RtmpIngestOptions) {
    this.#options = options;
    this.#metrics = ingestMetrics(options.metrics);
  }

  start(handler: IngestHandler): Promise<{ readonly port: number }> {
    if (this.#server !== undefined) throw new Error('the RTMP ingest was started already');
    const { host, port, clock, logger } = this.#options;
    const server = createServer({ allowHalfOpen: false }, (socket) => this.#onSocket(socket, handler));
    this.#server = server;
    this.#stopChecks = clock.every(checkEveryMs, () => this.#check());
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        server.on('error', (error) => logger.error({ error: error.message }, 'the RTMP listener failed'));
        const address = server.address();
        const bound = typeof address === 'object' && address !== null ? address.port : port;
        logger.info({ host, port: bound }, 'RTMP ingest listens');
        resolve({ port: bound });
      });
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || this.#isStopping) return;
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of [...this.#connections.values()]) {
      connection.refuse('UNAVAILABLE', 'this node is stopping; connect again to another ingest point');
    }
    await isOverWithin(closed, { clock: this.#options.clock, ms: stopLingerMs });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#stopChecks?.();
  }

  #onSocket(socket: Socket, handler: IngestHandler): void {
    const { limits, clock, logger } = this.#options;
    if (this.#connections.size >= limits.maxConnections) this.#dropOldestWaiting();
    const isOverflow = this.#connections.size >= limits.maxConnections;
    if (this.#isStopping || this.#connections.size >= limits.maxConnections + maxOverflow) {
      this.#onFault(socket, 'OVERLOADED', 'too many connections');
      socket.destroy();
      return;
    }
    this.#nextId += 1;
    const id = `rtmp-${this.#nextId}`;
    this.#sockets.add(socket);
    const connection = new RtmpConnection({
      id,
      socket,
      limits,
      handler,
      isOverflow,
      nowMs: () => clock.runningMs(),
      onFault: (code, detail) => this.#onFault(socket, code, detail),
      onError: (error) =>
        logger.error(
          { connection: id, error: error instanceof Error ? error.stack : String(error) },
          'an RTMP connection failed by a fault of ours',
        ),
      onGone: () => this.#onGone(id, socket),
    });
    this.#connections.set(id, connection);
  }

  #onGone(id: string, socket: Socket): void {
    this.#metrics.bytes.add(this.#connections.get(id)?.takeBytes() ?? 0);
    this.#connections.delete(id);
    this.#sockets.delete(socket);
  }

  #dropOldestWaiting(): void {
    for (const [id, connection] of this.#connections) {
      if (!connection.isWaiting) continue;
      connection.drop('OVERLOADED', 'too many connections; this one had not published');
      this.#connections.delete(id);
      return;
    }
  }

  #check(): void {
    const nowMs = this.#options.clock.runningMs();
    let publishers = 0;
    let bytes = 0;
    for (const connection of [...this.#connections.values()]) {
      connection.check(nowMs);
      bytes += connection.takeBytes();
      if (connection.isPublishing) publishers += 1;
    }
    this.#metrics.bytes.add(bytes);
    this.#metrics.connections.set(this.#connections.size);
    this.#metrics.publishers.set(publishers);
  }

  #onFault(socket: Socket, code: ErrorCode, detail: string): void {
    this.#metrics.refused.add(1, { code });
    const second = Math.floor(this.#options.clock.runningMs() / 1000);
    if (second !== this.#faultSecond) {
      this.#faultSecond = second;
      this.#faultLines = 0;
    }
    this.#faultLines += 1;
    if (this.#faultLines > maxFaultLinesPerSecond) return;
    this.#options.logger.warn(
      { code, detail, remoteAddress: socket.remoteAddress },
      'RTMP connection refused',
    );
  }
}

function ingestMetrics(metrics: Metrics) {
  return {
    connections: metrics.gauge({
      name: 'tangaza_rtmp_connections',
      help: 'RTMP connections, waiting ones included',
    }),
    publishers: metrics.gauge({ name: 'tangaza_rtmp_publishers', help: 'RTMP connections that publish' }),
    bytes: metrics.counter({ name: 'tangaza_rtmp_received_bytes_total', help: 'Bytes received by RTMP' }),
    refused: metrics.counter({
      name: 'tangaza_rtmp_refused_total',
      help: 'RTMP connections refused or closed by us',
      labels: ['code'],
    }),
  };
}
