/**
 * Shell of the edge-delivery actor: listens when the broker has started, drains when it stops.
 *
 * Draining: `/readyz` turns 503 and steering sends viewers elsewhere, what waits for the log is let go, open responses
 * get up to 5 s, then all connections close.
 */
import type { ServiceSchema } from 'moleculer';
import { EdgeParams } from '../../cluster/contract/edge-actions.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { Edge } from './edge.ts';
import type { HttpServer } from './http/http-server.ts';

export interface EdgeDeliveryPorts {
  readonly checkDeadline: CheckDeadline;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly edge: Edge;
  readonly server: HttpServer;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

const tickMs = 250;
const reviewMs = 1000;
const graceMs = 2000;

export function edgeDeliveryService(ports: EdgeDeliveryPorts): ServiceSchema {
  const { clock, logger, edge, server, host } = ports;
  const { action } = actionsInTime(ports.checkDeadline);
  const timers: (() => void)[] = [];
  return {
    name: 'edge-delivery',
    actions: {
      head: action(EdgeParams, ({ streamId }) => edge.head(streamId) ?? null),
      fold: action(EdgeParams, ({ streamId }) => edge.fold(streamId) ?? null),
    },
    async started() {
      const port = await server.listen(host, ports.port, edge);
      timers.push(clock.every(tickMs, edge.tick), clock.every(reviewMs, edge.review));
      logger.info({ host, port }, 'HTTP is listening');
    },
    async stopped() {
      edge.leave();
      for (const stop of timers) stop();
      edge.close();
      await server.close(graceMs);
      logger.info({}, 'HTTP has closed');
    },
  };
}
