/** What one RTMP peer can cost: places, memory and time of a listener, on real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import amf from 'node-media-server/src/protocol/amf.js';
import { expect, test } from 'vitest';
import { messageTypes } from '../../../actors/ingest/rtmp/rtmp-chunks.ts';
import { chunked, RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';
import { RtmpRecorder } from '../../support/ingest/rtmp-recorder.ts';

const handshake = Buffer.concat([Buffer.of(3), Buffer.alloc(3072, 9)]);
const command = (streamId: number, ...values: readonly unknown[]): Buffer =>
  chunked({ id: 3, format: 0, timestampMs: 0, type: 20, streamId, body: amf.amf0Encode(values) }, 128);
const connectAndCreate = Buffer.concat([
  command(0, 'connect', 1, { app: 'live' }),
  command(0, 'createStream', 2, null),
]);

/** A peer that says this at once, reads all, and never closes its side. */
async function stubborn(port: number, ...said: readonly Buffer[]): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  socket.write(Buffer.concat([handshake, connectAndCreate, ...said]));
  return socket;
}

// Found by reading: a refused peer that stays kept its place for two seconds, so a few hundred of them kept everybody out.
test('refused peers that do not leave keep no publisher out', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { maxConnections: 3 } });
  const refused = await Promise.all(
    [1, 2, 3].map((i) => stubborn(recorder.port, command(1, 'publish', 3, null, `bad-${i}`, 'live'))),
  );
  await expect
    .poll(() => recorder.lines.filter(({ fields }) => fields['code'] === 'STREAM_KEY_UNKNOWN').length)
    .toBe(3);
  const { publisher, status } = await RtmpPublisher.publish({ port: recorder.port, key: 'good' });
  expect(status).toMatchObject({ code: 'NetStream.Publish.Start' });
  publisher.destroy();
  for (const socket of refused) socket.destroy();
});

// Found by reading: a stream deleted before its key was checked went on air, and stayed there until its socket fell silent.
test.each([
  { name: 'deleteStream', end: command(0, 'deleteStream', 4, null, 1) },
  { name: 'closeStream', end: command(1, 'closeStream', 4, null) },
  { name: 'close', end: command(0, 'close', 4, null) },
])('$name right behind "publish" leaves nobody on air', async ({ end }) => {
  await using recorder = await RtmpRecorder.start({ limits: { silenceTimeoutMs: 60_000 } });
  const socket = await stubborn(recorder.port, command(1, 'publish', 3, null, 'good', 'live'), end);
  const recording = await recorder.of('good');
  expect(await recording.closed()).toBe('the publisher went away while its key was checked');
  socket.destroy();
});

// Found by reading: one read of a socket held 32,000 messages of a byte each for a peer that nobody had authenticated.
test.each([
  { count: 100, code: undefined },
  { count: 2000, code: 'BAD_REQUEST' },
])('of $count messages before the answer to "publish" the outcome is $code', async ({ count, code }) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using recorder = await RtmpRecorder.start({
    onPublish: async () => {
      asked.resolve();
      await answer.promise;
      throw new Error('not asked for');
    },
  });
  const tiny = Array.from({ length: count }, (_, i) =>
    chunked(
      { id: 4, format: 0, timestampMs: i, type: messageTypes.audio, streamId: 1, body: Buffer.of(0xaf) },
      128,
    ),
  );
  const socket = await stubborn(recorder.port, command(1, 'publish', 3, null, 'good', 'live'), ...tiny);
  await asked.promise;
  await new Promise((resolve) => void setImmediate(resolve));
  expect(recorder.lines.find(({ level }) => level === 'warn')?.fields['code']).toBe(code);
  answer.resolve();
  socket.destroy();
});
