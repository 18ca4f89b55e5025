/**
 * The settings of Moleculer's broker, whose log lines go to our log. Its own metrics are off, as they name the host, its user and its
 * addresses.
 */
import type { BrokerOptions } from 'moleculer';
import type { RegionId } from '../model/ids.ts';
import type { Logger } from './logger.ts';

interface BaseOptions {
  readonly region: RegionId;
  readonly brokerId: string;
  /** Servers, TLS and who the node is: options of the NATS client. */
  readonly natsAccess: Readonly<Record<string, unknown>> & { readonly servers: readonly string[] };
  readonly logger: Logger;
}

const stopTimeoutMs = 4000;

/** The region is the namespace: heartbeats go to every node of it. */
export function baseBrokerOptions({ region, brokerId, natsAccess, logger }: BaseOptions): BrokerOptions {
  return {
    nodeID: brokerId,
    namespace: `tangaza-${region}`,
    logger: {
      type: 'Pino',
      options: {
        createLogger: (_level: string, { mod }: { mod?: string }) => adapt(logger.child({ module: mod })),
      },
    },
    logLevel: 'warn',
    transporter: {
      type: 'NATS',
      options: {
        ...natsAccess,
        servers: [...natsAccess.servers],
        ignoreAuthErrorAbort: true,
        pingInterval: 5000,
        maxPingOut: 2,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
      },
    },
    serializer: 'CBOR',
    requestTimeout: 5000,
    heartbeatInterval: 2,
    heartbeatTimeout: 8,
    registry: { preferLocal: false },
    disableBalancer: false,
    // The node's own runner stops the broker. A second stop would close everything twice.
    skipProcessEventRegistration: true,
    tracking: { enabled: true, shutdownTimeout: stopTimeoutMs },
    validator: false,
    metrics: { enabled: false },
  };
}

/** Moleculer passes any arguments. Our log takes fields and a sentence. */
function adapt(logger: Logger): Readonly<Record<string, (...args: unknown[]) => void>> {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...args: unknown[]) => {
      const error = args.find((arg) => arg instanceof Error);
      const text = args.filter((arg) => typeof arg === 'string' || typeof arg === 'number').join(' ');
      logger[level](error === undefined ? {} : { err: error }, text);
    };
  return {
    trace: write('debug'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('error'),
  };
}
