/**
 * The load generator of `bench ingest`, a process of its own: publishes one clip to many streams in real time, for ever.
 *
 * Arguments: port, path of the clip, stream keys. Writes `on air` when all of them publish. It ends with its parent, or with exit code 1
 * when a publisher is refused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readFeed } from '../../test/support/media/media-feed.ts';
import { RtmpPublisher } from '../../test/support/ingest/rtmp-publisher.ts';

const [port = '', clip = '', ...keys] = process.argv.slice(2);
/** Publishers begin one after the other, so that their segments do not all end at once. */
const staggerMs = 100;

const feed = await readFeed(clip);
process.on('disconnect', () => process.exit(0));
for (const key of keys) {
  const { publisher, status } = await RtmpPublisher.publish({ port: Number(port), key });
  if (status?.level !== 'status') fail(status?.description ?? 'the server closed the connection');
  void publisher.refused.then((refusal) => fail(refusal?.description ?? 'the server closed the connection'));
  void publisher.send(feed, { speed: 1, loops: 1_000_000 });
  await delay(staggerMs);
}
process.send?.('on air');

function fail(why: string): never {
  process.stderr.write(`a publisher was refused: ${why}\n`);
  process.exit(1);
}
