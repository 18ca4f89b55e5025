/**
 * Runs the edge-delivery actor in Moleculer: it listens once the broker has started, and drains when the broker stops.
 *
 * While it drains, `/readyz` answers 503 and steering sends viewers to other edges. Requests that wait for the log are answered at once,
 * open responses get up to 5 s, and then all connections are closed.
 */
import type { ServiceSchema } from 'moleculer';
import { EdgeParams, PullParams } from '../../cluster/contract/edge-actions.ts';
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
  /** 0 takes a free port. */
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
      pull: action(PullParams, ({ waitMs, ...object }) => edge.pull(object, waitMs)),
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
