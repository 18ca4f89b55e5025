/** Reading a JetStream stream by consumers that are thrown away, on a real nats-server. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { consume } from '../../../cluster/nats/consume.nats.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { waitFor } from '../../support/wait.ts';

// Goal: a reader that has what it wants is let go, whatever its consumer does: a take-over of a stream hung there for ever. Method: the
// server is frozen, so that the consumer is waited for; what is given meanwhile comes when it has just been made, and the reader leaves.
test('a reader that leaves when its consumer has just been made is not held', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connect({ servers: nats.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'S', subjects: ['s.>'] });
  const consumers = async (): Promise<number> => (await manager.streams.info('S')).state.consumer_count;
  const meanwhile = async function* (): AsyncIterable<string> {
    nats.thaw();
    await waitFor('the consumer is there', consumers, (count) => count > 0, { everyMs: 20 });
    await systemClock.sleep(200); // until its answer has reached us as well
    yield 'asked for';
  };
  const source = { connection, js: jetstream(connection), stream: 'S' };
  const read: unknown[] = [];
  nats.freeze();
  for await (const item of consume(source, {}, new AbortController().signal, meanwhile)) {
    read.push(item);
    break;
  }
  expect(read).toEqual(['asked for']);
  await waitFor('the consumer is gone', consumers, (count) => count === 0);
});
