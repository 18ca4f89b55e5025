/** Reads and answers one delivery of a task on the wire: pull requests, statuses and acknowledgements of a JetStream pull consumer. */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { TaskGroup } from '../contract/transcode-task.ts';

/** The statuses with which the server answers a pull request that brings no task. */
export type PullStatus = 'waiting' | 'empty' | 'unavailable';

/** The subject on which a pull consumer takes requests. */
export function nextSubject(stream: string, group: TaskGroup): string {
  return `$JS.API.CONSUMER.MSG.NEXT.${stream}.${group}`;
}

/**
 * `undefined` for a message that carries a task. 100 is a heartbeat of a waiting request, 503 means that the consumer does not exist, and
 * 404, 408 and 409 that there is nothing (more) to give.
 */
export function pullStatusOf(message: Msg): PullStatus | undefined {
  const code = message.headers?.code ?? 0;
  if (code === 0) return undefined;
  if (code === 100) return 'waiting';
  return code === 503 ? 'unavailable' : 'empty';
}

/**
 * How often this task was delivered, from 1 on. The reply subject says it:
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
  /** It must never be delivered again. */
  refused: '+TERM',
  givenBack: (delayMs: number): string =>
    delayMs <= 0 ? '-NAK' : `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`,
} as const;

/** Sends it without waiting. Without a connection nothing is sent, and the server redelivers after `ack_wait` (C9). */
export function tell(connection: NatsConnection, message: Msg, payload: string): void {
  if (message.reply === undefined || connection.isClosed()) return;
  connection.publish(message.reply, payload);
}
