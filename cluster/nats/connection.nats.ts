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
import { accessFault, withoutPassword } from './access-faults.ts';
import { accessOptions, type NatsAccess } from './access.nats.ts';
import { tooOld } from './server-version.ts';

interface ConnectOptions extends NatsAccess {
  readonly name: string;
  /** Ends the wait for the first server. */
  readonly signal?: AbortSignal | undefined;
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
const firstTriesEveryMs = 250;
const ownSettings = {
  tls: 'TANGAZA_NATS_CA, TANGAZA_NATS_CERT and TANGAZA_NATS_KEY',
  credentials: 'TANGAZA_NATS_CREDENTIALS',
};

/**
 * Waits for the first server until the signal aborts, as a node may start before its NATS. The log says that it waits.
 *
 * @throws TangazaError `CONFLICT` when the server is too old, with what to do (C1); the signal's reason
 */
export async function connectNats(options: ConnectOptions): Promise<NodeConnection> {
  const { servers, clock, logger, metrics } = options;
  const connected = metrics.gauge({
    name: 'tangaza_nats_connected',
    help: '1 while the node is connected to NATS.',
  });
  connected.set(0);
  logger.info({ servers: servers.map(withoutPassword) }, 'connecting to NATS');
  const connection = await sayWhile('NATS', { servers: servers.map(withoutPassword) }, options, (failed) =>
    firstConnection(options, failed),
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

/** Tries again and again. What keeps the node out is said at once, where an operator can do something about it. */
async function firstConnection(
  { clock, logger, name, signal, ...access }: ConnectOptions,
  failed: (error: unknown) => void,
): Promise<NatsConnection> {
  const whose = `the NATS of this region (${access.servers.map(withoutPassword).join(', ')})`;
  for (let said: string | undefined; ;) {
    try {
      await mustBeLetIn(access);
      return await connect({
        ...accessOptions(access),
        name,
        pingInterval: 5000,
        maxPingOut: 2,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
        // A password or certificate that is wrong for a while must not end the node for ever.
        ignoreAuthErrorAbort: true,
        timeout: 2000,
      });
    } catch (error) {
      const fault = accessFault(error, { whose, settings: ownSettings, user: 'node' });
      failed(fault === undefined ? error : new Error(fault));
      if (fault !== undefined && fault !== said) logger.warn({ why: fault }, 'NATS does not let the node in');
      said = fault;
      await clock.sleep(firstTriesEveryMs, signal);
    }
  }
}

/** A client that reconnects by itself does not say what was wrong. So where there is TLS or a user, another one tries first. */
async function mustBeLetIn(access: NatsAccess): Promise<void> {
  const options = accessOptions(access);
  if (options.tls === undefined && options.authenticator === undefined) return;
  const tried = await connect({ ...options, name: 'first try', reconnect: false, timeout: 2000 });
  try {
    await tried.flush();
  } finally {
    await tried.close();
  }
}

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
