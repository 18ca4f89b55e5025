/** What is measured of the sockets. */
import type { Counter, Gauge, Metrics } from '../../../cluster/observe/metrics.ts';

export interface SocketMetrics {
  readonly open: Gauge;
  /** By what bounds it: `sockets`, `network`, `waiting`, `joins`, `leaving`, `protocol`, `feed`. */
  readonly refused: Counter;
  readonly ended: Counter;
  readonly messages: Counter;
  readonly faults: Counter;
  readonly frames: Counter;
  readonly hurried: Counter;
  readonly behind: Gauge;
  readonly gaps: Counter;
  readonly gatherSeconds: Gauge;
}

export function socketMetrics(metrics: Metrics): SocketMetrics {
  return {
    open: metrics.gauge({
      name: 'tangaza_sockets',
      help: 'Open live sockets, by whether they were welcomed yet.',
      labels: ['state'],
    }),
    refused: metrics.counter({
      name: 'tangaza_socket_upgrades_refused_total',
      help: 'Live sockets that were refused, by the bound that they were over or what they lacked.',
      labels: ['bound'],
    }),
    ended: metrics.counter({
      name: 'tangaza_socket_ended_total',
      help: 'Live sockets that this node ended, by the code of their end.',
      labels: ['code'],
    }),
    messages: metrics.counter({
      name: 'tangaza_socket_messages_total',
      help: 'Messages of clients, by type; over the bound of a socket they are `refused`.',
      labels: ['type'],
    }),
    faults: metrics.counter({
      name: 'tangaza_socket_faults_total',
      help: 'Messages of clients that were not valid.',
    }),
    frames: metrics.counter({
      name: 'tangaza_socket_frames_total',
      help: 'Frames that were published, each to all sockets of a topic of a stream.',
      labels: ['topic'],
    }),
    hurried: metrics.counter({
      name: 'tangaza_socket_frames_hurried_total',
      help: 'How often some of the sockets of a topic got a frame only when the next one came: the event loop is too slow for so many.',
    }),
    behind: metrics.gauge({
      name: 'tangaza_socket_slow_readers',
      help: 'Live sockets whose readers are too slow for a part of their stream, by what they still get.',
      labels: ['gets'],
    }),
    gaps: metrics.counter({
      name: 'tangaza_socket_gaps_total',
      help: 'How often a slow reader missed something and came back.',
    }),
    gatherSeconds: metrics.gauge({
      name: 'tangaza_socket_gather_seconds',
      help: 'How long messages are gathered before they go out as one frame; it grows with the load.',
    }),
  };
}
