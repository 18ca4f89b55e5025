/** An ingest whose process stood still holds that against nobody. Its event loop is blocked, which is what a stopped process sees. */
import { setImmediate } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { makeFeed, type Feed } from '../../support/media/media-feed.ts';
import { openSocket, RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';
import { RtmpRecorder } from '../../support/ingest/rtmp-recorder.ts';

let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 4 });
});

/** Timers that are due run first when it goes on. */
async function standStill(ms: number): Promise<void> {
  await setImmediate();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

// Goal: what waits in a publisher's socket is read before its silence is judged. Method: the process stands still for longer than the
// silence time-out while a publisher's tags lie in its socket, and for longer than the handshake time-out while a socket connects.
test('publishers whose media waits in their sockets stay when the process goes on', async () => {
  const limits = { silenceTimeoutMs: 2000, handshakeTimeoutMs: 2000 };
  await using recorder = await RtmpRecorder.start({ limits });
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good' });
  await publisher.send(feed, { untilMs: 1000 });
  const recording = await recorder.of('good');
  await recording.more(0);
  const connecting = await openSocket(recorder.port);
  const sending = publisher.send(feed, { fromMs: 1000, untilMs: 2000 });
  await standStill(4000);
  await sending;
  await Promise.race([recording.more(20), recording.closed()]);
  await RtmpPublisher.publish({ port: recorder.port, key: 'good-late' });
  expect(recorder.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  expect(recording.closeReasons).toEqual([]);
  connecting.destroy();
  await publisher.end();
});

test('a sleep goes on for what was left of it', async () => {
  const ended: string[] = [];
  const asleep = systemClock.sleep(1000).then(() => ended.push('the long sleep'));
  await standStill(1500);
  await systemClock.sleep(100).then(() => ended.push('the short one behind it'));
  await asleep;
  expect(ended).toEqual(['the short one behind it', 'the long sleep']);
});
