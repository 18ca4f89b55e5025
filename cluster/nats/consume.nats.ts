/**
 * Reads a JetStream stream on and on, through consumers that are thrown away at the first fault.
 *
 * When anything happens to a consumer (the server is gone, the leader moved, heartbeats were missed, the stream was deleted), it ends. Its
 * reader then begins another one where it stands. Rejected: the library's own repair. Behind a stream that was made again it waits in
 * silence until the sequence is as high as it was before.
 */
import type { ConsumerMessages, JetStreamClient, JsMsg, OrderedConsumerOptions } from '@nats-io/jetstream';
import { delay, type NatsConnection } from '@nats-io/transport-node';

/** A reader that hears nothing for twice this long, not even a heartbeat, begins again. */
const heartbeatMs = 1000;
/** How many messages are requested ahead of the reader, which bounds its buffer. */
const readAhead = 256;
/** How often a reader fetches by other means until its consumer exists. */
const meanwhileEveryMs = 250;
const retryMinMs = 100;
const retryMaxMs = 1000;

interface Source {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly stream: string;
}

/**
 * Runs one consumer. It ends when the signal aborts, the connection drops, or anything happens to the consumer.
 *
 * @param meanwhile fetches new messages by other means. It is called again and again until the consumer exists, and once if none can be
 * made. Its messages may come twice.
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
    // This also closes a consumer whose reader left before it existed.
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
    // This is not awaited: the library never reports the end of messages that nobody has begun to read.
    void messages.close();
    // This may fail without harm, as the server forgets an idle consumer by itself.
    if (!connection.isClosed()) consumer.delete().catch(() => {});
  };
  return { messages, close };
}

/** Waits at most `withinMs` for the work. @returns whether it is still under way */
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

/** Waits before the next consumer: longer after each failure, at most `maxMs`. Returns at once when the signal aborts. */
export async function pauseAfter(failures: number, signal: AbortSignal, maxMs = retryMaxMs): Promise<void> {
  if (signal.aborted) return;
  const waiting = delay(Math.min(maxMs, retryMinMs * 2 ** Math.min(failures, 10)));
  const stop = (): void => waiting.cancel();
  signal.addEventListener('abort', stop);
  await waiting.catch(() => {});
  signal.removeEventListener('abort', stop);
}
