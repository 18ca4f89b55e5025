/** One delivery of a task on the wire: pull requests, statuses and acknowledgements of a JetStream pull consumer. */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { TaskGroup } from '../contract/transcode-task.ts';

/** What a pull request is answered with when it is over. */
export type PullStatus = 'waiting' | 'empty' | 'unavailable';

/** Where a pull consumer takes requests. */
export function nextSubject(stream: string, group: TaskGroup): string {
  return `$JS.API.CONSUMER.MSG.NEXT.${stream}.${group}`;
}

/** `undefined` for a message that carries a task. 100: a heartbeat of a request that waits. 503: the consumer is not there; 404, 408, 409: nothing (more) to give. */
export function pullStatusOf(message: Msg): PullStatus | undefined {
  const code = message.headers?.code ?? 0;
  if (code === 0) return undefined;
  if (code === 100) return 'waiting';
  return code === 503 ? 'unavailable' : 'empty';
}

/**
 * How often this task was delivered, from 1, as the reply subject says:
 * `$JS.ACK.[domain.account.]stream.consumer.DELIVERIES.streamSeq.consumerSeq.time.pending[.token]`.
 */
export function deliveriesOf(message: Msg): number {
  const tokens = (message.reply ?? '').split('.');
  const deliveries = Number(tokens.length >= 11 ? tokens[6] : tokens[4]);
  return Number.isSafeInteger(deliveries) && deliveries > 0 ? deliveries : 1;
}

export const reply = {
  working: '+WPI',
  acknowledged: '+ACK',
  /** Never to be delivered again. */
  refused: '+TERM',
  givenBack: (delayMs: number): string =>
    delayMs <= 0 ? '-NAK' : `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`,
} as const;

/** Says it without waiting; a connection that is gone says nothing, and `ack_wait` is the backstop (C9). */
export function tell(connection: NatsConnection, message: Msg, payload: string): void {
  if (message.reply === undefined || connection.isClosed()) return;
  connection.publish(message.reply, payload);
}
