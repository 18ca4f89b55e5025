/**
 * Reading a JetStream stream on and on, by consumers that are thrown away.
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
/** Of what a reader does until its consumer is made. */
const meanwhileEveryMs = 250;
const retryMinMs = 100;
const retryMaxMs = 1000;

interface Source {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly stream: string;
}

/**
 * One consumer's life: ends when the signal aborts, the connection drops or anything befalls the consumer.
 *
 * @param meanwhile gives, by other means, what has come: called again and again until the consumer is made, and once if it cannot be.
 * Its messages may come twice.
 */
export async function* consume<T = never>(
  { connection, js, stream }: Source,
  from: Partial<OrderedConsumerOptions>,
  signal: AbortSignal,
  meanwhile?: () => AsyncIterable<T>,
): AsyncIterable<JsMsg | T> {
  const opening = openConsumer({ connection, js, stream }, from, signal);
  try {
    if (meanwhile !== undefined) {
      while (!signal.aborted && (await isPending(opening, meanwhileEveryMs))) yield* meanwhile();
      if (signal.aborted) return;
      if (await isRefused(opening)) yield* meanwhile();
    }
    yield* (await opening).messages;
  } finally {
    // Also for a reader that left before the consumer was made.
    const closing = opening.then(({ close }) => close()).catch(() => {});
    if (!(await isPending(opening, 0))) await closing;
  }
}

interface OpenConsumer {
  readonly messages: ConsumerMessages;
  readonly close: () => void;
}

async function openConsumer(
  { connection, js, stream }: Source,
  from: Partial<OrderedConsumerOptions>,
  signal: AbortSignal,
): Promise<OpenConsumer> {
  const consumer = await js.consumers.get(stream, { ...from, inactive_threshold: 20 * heartbeatMs });
  const messages = await consumer.consume({
    max_messages: readAhead,
    expires: 10 * heartbeatMs,
    idle_heartbeat: heartbeatMs,
  });
  const stopWatching = stopOnTrouble(connection, messages, signal);
  const close = (): void => {
    stopWatching();
    // Not waited for: of messages that nobody has begun to read, the library never says that they are closed.
    void messages.close();
    // Best effort: the server forgets an idle consumer by itself.
    if (!connection.isClosed()) consumer.delete().catch(() => {});
  };
  return { messages, close };
}

/** Waits for it, `withinMs` at most. @returns whether it is still under way */
async function isPending(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  const waiting = delay(withinMs);
  const ended = (): boolean => false;
  try {
    return await Promise.race([work.then(ended, ended), waiting.then(() => true)]);
  } finally {
    waiting.cancel();
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

const isRefused = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => false,
    () => true,
  );

/** Waits before the next consumer, the longer the more have failed, `maxMs` at most; returns at once when the signal aborts. */
export async function pauseAfter(failures: number, signal: AbortSignal, maxMs = retryMaxMs): Promise<void> {
  if (signal.aborted) return;
  const waiting = delay(Math.min(maxMs, retryMinMs * 2 ** Math.min(failures, 10)));
  const stop = (): void => waiting.cancel();
  signal.addEventListener('abort', stop);
  await waiting.catch(() => {});
  signal.removeEventListener('abort', stop);
}
