/** What the peer's protocol may ask of an RTMP server, on real sockets: acknowledgements, calls, streams closed and opened again. */
import amf from 'node-media-server/src/protocol/amf.js';
import { beforeAll, expect, test } from 'vitest';
import { messageTypes, writeMessage } from '../../../actors/ingest/rtmp/rtmp-chunks.ts';
import { makeFeed, type Feed } from '../../support/media/media-feed.ts';
import { RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';
import { RtmpRecorder } from '../../support/ingest/rtmp-recorder.ts';
import { waitForEvents } from '../../support/wait.ts';

let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 4 });
});

async function onAir(key = 'good') {
  const recorder = await RtmpRecorder.start();
  const { publisher, status } = await RtmpPublisher.publish({ port: recorder.port, key });
  const recording = await recorder.of(key);
  return {
    recorder,
    publisher,
    status,
    recording,
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
}

// Goal: a client that waits for acknowledgements does not stall. Method: it announces a window, and never has more than that unacknowledged.
test.each([50_000, 5000, 1])('a window of %i bytes is kept by acknowledgements', async (windowBytes) => {
  await using scene = await onAir();
  const { publisher, recording } = scene;
  publisher.sendControl(messageTypes.windowAcknowledgementSize, windowBytes);
  const tags = [...feed.headers, ...feed.tags];
  let sentBytes = 0;
  const maySend = (): boolean => sentBytes === 0 || sentBytes - publisher.acknowledgedBytes < windowBytes;
  for (const tag of tags) {
    await waitForEvents('what was sent is acknowledged', maySend, () => publisher.acknowledgement());
    publisher.sendTag(tag);
    sentBytes += tag.body.length;
  }
  await publisher.end();
  expect(await recording.closed()).toBe('the publisher ended the stream');
  expect(recording.tags).toHaveLength(tags.length);
  expect(sentBytes).toBeGreaterThan(100_000);
});

test('a limit of the peer on our bandwidth is answered by our window, where it changes', async () => {
  await using scene = await onAir();
  const { publisher } = scene;
  const [hard, soft, dynamic] = [0, 1, 2];
  publisher.sendControl(messageTypes.setPeerBandwidth, 2_500_000, hard);
  publisher.sendControl(messageTypes.setPeerBandwidth, 100_000, soft);
  publisher.sendControl(messageTypes.setPeerBandwidth, 200_000, soft);
  publisher.sendControl(messageTypes.setPeerBandwidth, 300_000, dynamic);
  await publisher.call('_checkbw', [null]);
  const windows = publisher.messages.filter(({ type }) => type === messageTypes.windowAcknowledgementSize);
  expect(windows.map(({ payload }) => Number(`0x${payload}`))).toEqual([2_500_000, 100_000, 300_000]);
});

test('a ping is answered with its own time', async () => {
  await using scene = await onAir();
  const { publisher } = scene;
  const payload = Buffer.from('00060badcafe', 'hex');
  publisher.write(
    writeMessage({ chunkStreamId: 2, type: messageTypes.userControl, streamId: 0, payload }, 65_536),
  );
  await publisher.call('_checkbw', [null]);
  const controls = publisher.messages.filter(({ type }) => type === messageTypes.userControl);
  expect(controls.map((one) => one.payload)).toEqual(['000000000001', '00070badcafe']);
});

test.each([
  { name: 'releaseStream', says: ['_result', null, undefined] },
  { name: 'FCPublish', says: ['_result', null, undefined] },
  { name: 'FCUnpublish', says: ['_result', null, undefined] },
  { name: '_checkbw', says: ['_result', null, undefined] },
  { name: 'getStreamLength', says: ['_result', null, 0] },
  {
    name: 'launchRockets',
    says: ['_error', null, expect.objectContaining({ code: 'NetConnection.Call.Failed' })],
  },
])('the call $name has an answer, and the feed goes on', async ({ name, says: [answer, ...values] }) => {
  await using scene = await onAir();
  const { publisher, recording } = scene;
  const [said, , ...rest] = await publisher.call(name, [null, 'good']);
  expect([said, ...rest]).toEqual([answer, ...values]);
  await publisher.send(feed, { untilMs: 500 });
  await expect.poll(() => recording.tags.length).toBeGreaterThan(0);
  expect(recording.closeReasons).toEqual([]);
});

test.each(['closeStream', 'deleteStream', 'FCUnpublish'])(
  '%s before "publish" closes nothing that is there',
  async (name) => {
    await using recorder = await RtmpRecorder.start();
    const publisher = await RtmpPublisher.connect({ port: recorder.port, key: 'good' });
    publisher.command(1, name, 0, null, 1);
    expect(await publisher.publish()).toMatchObject({ code: 'NetStream.Publish.Start' });
    await publisher.send(feed, { untilMs: 500 });
    const recording = await recorder.of('good');
    await expect.poll(() => recording.tags.length).toBeGreaterThan(0);
    await publisher.end();
  },
);

test('a stream that is closed is off air, and the connection may publish again', async () => {
  await using scene = await onAir();
  const { publisher, recording, recorder } = scene;
  publisher.command(1, 'closeStream', 0, null);
  expect(await recording.closed()).toBe('the publisher ended the stream');
  await publisher.call('createStream', [null]);
  publisher.command(2, 'publish', 0, null, 'good', 'live');
  await publisher.send(feed, { untilMs: 500 });
  await expect.poll(() => recorder.recordings[1]?.tags.length ?? 0).toBeGreaterThan(0);
  expect(publisher.statuses.map(({ code }) => code)).toEqual([
    'NetStream.Publish.Start',
    'NetStream.Unpublish.Success',
    'NetStream.Publish.Start',
  ]);
  publisher.command(0, 'deleteStream', 0, null, 2);
  expect(await recorder.recordings[1]?.closed()).toBe('the publisher ended the stream');
  await publisher.closed;
  expect(recorder.lines.filter(({ level }) => level === 'warn')).toEqual([]);
});

test('"publish" said twice is one; with another name it is refused, and the first stream goes on', async () => {
  await using scene = await onAir();
  const { publisher, recording, recorder } = scene;
  publisher.command(1, 'publish', 0, null, 'good', 'live');
  publisher.command(1, 'publish', 0, null, 'good-other', 'live');
  publisher.command(1, 'play', 0, null, 'good');
  await publisher.call('_checkbw', [null]);
  expect(publisher.statuses.map(({ code, description }) => [code, description.slice(0, 11)])).toEqual([
    ['NetStream.Publish.Start', 'On air.'],
    ['NetStream.Publish.Start', 'On air.'],
    ['NetStream.Publish.Denied', 'BAD_REQUEST'],
    ['NetStream.Play.Failed', 'This server'],
  ]);
  await publisher.send(feed, { untilMs: 500 });
  await expect.poll(() => recording.tags.length).toBeGreaterThan(0);
  expect(recorder.recordings).toHaveLength(1);
});

/** `connect` and what follows as type 17 and 15: a zero, AMF0, and values in AMF3. */
test('commands and metadata in AMF3 are understood', async () => {
  await using recorder = await RtmpRecorder.start();
  const publisher = await RtmpPublisher.connect({ port: recorder.port, key: 'good' });
  const write = (type: number, streamId: number, payload: Buffer): void =>
    publisher.write(writeMessage({ chunkStreamId: 3, type, streamId, payload }, 65_536));
  const text = (value: string): string =>
    `06${(value.length * 2 + 1).toString(16).padStart(2, '0')}${Buffer.from(value).toString('hex')}`;
  const amf3 = (name: string, ...values: readonly string[]): Buffer =>
    Buffer.concat([
      Buffer.of(0),
      amf.amf0Encode([name, 4]),
      Buffer.from(values.map((value) => `11${value}`).join(''), 'hex'),
    ]);
  write(messageTypes.commandAmf3, 0, amf3('createStream', '01'));
  write(messageTypes.commandAmf3, 1, amf3('publish', '01', text('good?priority=2'), text('live')));
  const recording = await recorder.of('good');
  expect(recording.request.query).toEqual({ priority: '2' });
  const metadata = Buffer.concat([
    amf.amf0Encode(['@setDataFrame', 'onMetaData']),
    Buffer.from('110a0b01056677040501', 'hex'),
  ]);
  write(messageTypes.dataAmf3, 1, Buffer.concat([Buffer.of(0), metadata]));
  write(messageTypes.dataAmf3, 1, metadata);
  await expect
    .poll(() => recording.tags.map(({ kind, bytes }) => [kind, bytes]))
    .toEqual([
      ['script', metadata.length - 16],
      ['script', metadata.length - 16],
    ]);
  publisher.destroy();
});

test.each([
  { what: 'the largest chunk size there is', chunkSize: 2 ** 31 - 1, offsetMs: 0 },
  { what: 'chunks above 24 bits, from an extended timestamp on', chunkSize: 2 ** 24, offsetMs: 0xff_ff_ff },
  { what: 'tiny chunks with extended timestamps', chunkSize: 3, offsetMs: 0x01_00_00_00 },
  { what: 'times that begin at 2^31', chunkSize: 4096, offsetMs: 2 ** 31 },
  { what: 'times that begin at the end of 32 bits', chunkSize: 128, offsetMs: 2 ** 32 - 1 },
])('$what: every tag arrives whole and in time', async ({ chunkSize, offsetMs }) => {
  await using recorder = await RtmpRecorder.start();
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good', chunkSize });
  await publisher.send(feed, { offsetMs, untilMs: 1000 });
  await publisher.end();
  const recording = await recorder.of('good');
  await recording.closed();
  const sent = feed.tags.filter(({ timestampMs }) => timestampMs < 1000);
  const media = recording.tags.slice(feed.headers.length);
  expect(media.map(({ bytes, timestampMs }) => ({ bytes, timestampMs }))).toEqual(
    sent.map(({ body, timestampMs }) => ({
      bytes: body.length,
      timestampMs: (timestampMs + offsetMs) % 2 ** 32,
    })),
  );
});

test.each([0, 2 ** 31, 2 ** 32 - 1])('a chunk size of %i is refused by name', async (size) => {
  await using scene = await onAir();
  scene.publisher.sendControl(messageTypes.setChunkSize, size);
  expect(await scene.publisher.refused).toMatchObject({
    description: 'MEDIA_INVALID: Not RTMP as we take it: a chunk size out of its range.',
  });
});
