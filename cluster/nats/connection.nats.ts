/**
 * Opens the node's NATS connection. It notices a dead server within 10 s and reconnects by itself, for ever. (The client's own ping would
 * need 4 minutes.)
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import { sayWhile } from '../observe/say-while.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { isOverWithin } from '../time/within.ts';
import { tooOld } from './server-version.ts';

interface ConnectOptions {
  readonly servers: readonly string[];
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface NodeConnection {
  readonly connection: NatsConnection;
  /** For how many ms the connection has been down; 0 while it is up. */
  readonly downMs: () => number;
  readonly close: () => Promise<void>;
}

const drainMs = 2000;

/**
 * Waits for the first server for ever, as a node may start before its NATS. The log says that it waits.
 *
 * @throws TangazaError `CONFLICT` when the server is too old, with what to do (C1)
 */
export async function connectNats(options: ConnectOptions): Promise<NodeConnection> {
  const { servers, name, clock, logger, metrics } = options;
  const connected = metrics.gauge({
    name: 'tangaza_nats_connected',
    help: '1 while the node is connected to NATS.',
  });
  connected.set(0);
  logger.info({ servers: servers.map(withoutPassword) }, 'connecting to NATS');
  const connection = await sayWhile('NATS', { servers: servers.map(withoutPassword) }, options, () =>
    connect({
      servers: [...servers],
      name,
      pingInterval: 5000,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      timeout: 2000,
      waitOnFirstConnect: true,
    }),
  );
  const fault = ageOf(connection);
  if (fault !== undefined) {
    await connection.close();
    throw new TangazaError('CONFLICT', fault);
  }
  let downSinceMs: number | undefined;
  const tell = (isUp: boolean): void => {
    connected.set(isUp ? 1 : 0);
    downSinceMs = isUp ? undefined : (downSinceMs ?? clock.monotonicMs());
  };
  tell(true);
  void watch(connection, logger, tell);
  return {
    connection,
    downMs: () =>
      downSinceMs === undefined ? 0 : Math.max(1, Math.round(clock.monotonicMs() - downSinceMs)),
    // Without this, draining would wait for ever for a server that is gone.
    close: async () => {
      await isOverWithin(connection.drain(), { clock, ms: drainMs });
      await connection.close();
    },
  };
}

/** `nats://user:password@host` without its user and password. */
const withoutPassword = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');

const ageOf = ({ info }: NatsConnection): string | undefined => tooOld(info?.version ?? 'of no version');

async function watch(
  connection: NatsConnection,
  logger: Logger,
  tell: (isUp: boolean) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') {
      tell(false);
      logger.warn(
        { server: status.server },
        'NATS is gone: viewers are still served, changes of ownership wait',
      );
    }
    if (status.type === 'reconnect') {
      tell(true);
      logger.info({ server: status.server }, 'NATS is back');
      const fault = ageOf(connection);
      if (fault !== undefined) logger.error({ server: status.server }, fault);
    }
    if (status.type === 'error') logger.warn({ err: status.error }, 'NATS reported an error');
  }
}
