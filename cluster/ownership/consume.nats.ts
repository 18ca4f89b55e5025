/**
 * Reading a JetStream stream on and on, by consumers that are thrown away (facts 3).
 *
 * Whatever happens to a consumer (server gone, leader moved, heartbeats missed, stream deleted), it ends, and its reader begins
 * another one where the reader stands. Rejected: the library's own repair; behind a stream that was made again it waits in
 * silence until the sequence is as high as it was.
 */
import type { ConsumerMessages, JetStreamClient, JsMsg, OrderedConsumerOptions } from '@nats-io/jetstream';
import { delay, type NatsConnection } from '@nats-io/transport-node';

/** A reader that hears nothing, not even a heartbeat, for twice this long begins again. */
const heartbeatMs = 1000;
/** Messages asked for ahead of the reader: the bound of its buffer. */
const readAhead = 256;
const retryMinMs = 100;
const retryMaxMs = 1000;

interface Source {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly stream: string;
}

/** One consumer's life: ends when the signal aborts, the connection drops or anything befalls the consumer. */
export async function* consume(
  { connection, js, stream }: Source,
  from: Partial<OrderedConsumerOptions>,
  signal: AbortSignal,
): AsyncIterable<JsMsg> {
  const consumer = await js.consumers.get(stream, { ...from, inactive_threshold: 20 * heartbeatMs });
  const messages = await consumer.consume({
    max_messages: readAhead,
    expires: 10 * heartbeatMs,
    idle_heartbeat: heartbeatMs,
  });
  const stopWatching = stopOnTrouble(connection, messages, signal);
  try {
    yield* messages;
  } finally {
    stopWatching();
    await messages.close();
    // Best effort: the server forgets an idle consumer by itself.
    if (!connection.isClosed()) consumer.delete().catch(() => {});
  }
}

const troubles: ReadonlySet<string> = new Set([
  ...['heartbeats_missed', 'consumer_not_found', 'consumer_deleted', 'stream_not_found'],
]);

function stopOnTrouble(
  connection: NatsConnection,
  messages: ConsumerMessages,
  signal: AbortSignal,
): () => void {
  const stop = (): void => void messages.close();
  const status = connection.status();
  void (async () => {
    for await (const event of status) if (event.type === 'disconnect' || event.type === 'close') stop();
  })();
  void (async () => {
    for await (const event of messages.status()) if (troubles.has(event.type)) stop();
  })();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  return () => {
    signal.removeEventListener('abort', stop);
    if ('stop' in status && typeof status.stop === 'function') status.stop();
  };
}

/** Waits before the next consumer, the longer the more have failed, `maxMs` at most; returns at once when the signal aborts. */
export async function pauseAfter(failures: number, signal: AbortSignal, maxMs = retryMaxMs): Promise<void> {
  if (signal.aborted) return;
  const waiting = delay(Math.min(maxMs, retryMinMs * 2 ** Math.min(failures, 10)));
  const stop = (): void => waiting.cancel();
  signal.addEventListener('abort', stop);
  await waiting.catch(() => {});
  signal.removeEventListener('abort', stop);
}
