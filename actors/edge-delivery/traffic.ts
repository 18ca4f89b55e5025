/** Counts HTTP traffic: plain integers on the hot path, passed to the metrics once a second. */
import type { Metrics } from '../../cluster/observe/metrics.ts';

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'];

export class Traffic {
  connections = 0;
  waiting = 0;
  slow = 0;
  slowBytes = 0;
  readonly #responses = [0, 0, 0, 0, 0];
  #bytes = 0;
  #aborted = 0;
  readonly #refused = { connections: 0, network: 0, waiting: 0, slow: 0, stalled: 0, body: 0 };
  readonly #publish: () => void;

  /** @param listener names the listener of this node in one word */
  constructor(metrics: Metrics, listener: string) {
    const responses = metrics.counter({
      name: 'tangaza_http_responses_total',
      help: 'Responses, by status.',
      labels: ['listener', 'class'],
    });
    const bytes = metrics.counter({
      name: 'tangaza_http_sent_bytes_total',
      help: 'Bytes of bodies accepted for sending.',
      labels: ['listener'],
    });
    const aborted = metrics.counter({
      name: 'tangaza_http_aborted_total',
      help: 'Requests whose client left first.',
      labels: ['listener'],
    });
    const refused = metrics.counter({
      name: 'tangaza_http_refused_total',
      help: 'What was over a bound.',
      labels: ['listener', 'bound'],
    });
    const connections = metrics.gauge({
      name: 'tangaza_http_connections',
      help: 'Open connections.',
      labels: ['listener'],
    });
    const waiting = metrics.gauge({
      name: 'tangaza_http_waiting_requests',
      help: 'Requests without a reply yet.',
      labels: ['listener'],
    });
    const slow = metrics.gauge({
      name: 'tangaza_http_slow_responses',
      help: 'Responses not taken by their readers yet.',
      labels: ['listener'],
    });
    const slowBytes = metrics.gauge({
      name: 'tangaza_http_slow_bytes',
      help: 'Bytes that slow readers keep in memory.',
      labels: ['listener'],
    });
    this.#publish = () => {
      this.#responses.forEach((count, index) => {
        if (count > 0) responses.add(count, { listener, class: classes[index] ?? 'other' });
        this.#responses[index] = 0;
      });
      for (const [bound, count] of Object.entries(this.#refused))
        if (count > 0) refused.add(count, { listener, bound });
      Object.assign(this.#refused, { connections: 0, network: 0, waiting: 0, slow: 0, stalled: 0, body: 0 });
      if (this.#bytes > 0) bytes.add(this.#bytes, { listener });
      if (this.#aborted > 0) aborted.add(this.#aborted, { listener });
      this.#bytes = 0;
      this.#aborted = 0;
      connections.set(this.connections, { listener });
      waiting.set(this.waiting, { listener });
      slow.set(this.slow, { listener });
      slowBytes.set(this.slowBytes, { listener });
    };
  }

  responded(status: number, bytes: number): void {
    const index = Math.floor(status / 100) - 1;
    this.#responses[index] = (this.#responses[index] ?? 0) + 1;
    this.#bytes += bytes;
  }

  aborted(): void {
    this.#aborted++;
  }

  refused(bound: 'connections' | 'network' | 'waiting' | 'slow' | 'stalled' | 'body'): void {
    this.#refused[bound]++;
  }

  /** Passes what was counted since the last call to the metrics. */
  publish(): void {
    this.#publish();
  }
}
