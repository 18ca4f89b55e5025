/** The RTMP port on real sockets, with real ffmpeg and with clients that behave badly. */
import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { makeFeed, type Feed } from '../../support/media/media-feed.ts';
import { chunked, openSocket, RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';
import { RtmpRecorder, type Recording } from '../../support/ingest/rtmp-recorder.ts';

const run = promisify(execFile);
let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 4 });
});

/** A publisher that sends in real time; `stillOnAir` waits for more of its tags to arrive. */
async function healthyPublisher(recorder: RtmpRecorder, key = 'good-healthy') {
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key });
  const stop = new AbortController();
  const sending = publisher.send(feed, { speed: 1, loops: 1000, signal: stop.signal });
  const recording = await recorder.of(key);
  return {
    recording,
    stillOnAir: async () => {
      await recording.more(20);
      expect(recording.closeReasons).toEqual([]);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      publisher.destroy();
      await sending;
    },
  };
}

/** Resolves when it is closed, also by a reset: which comes when the other side left something unread. */
function closing(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

function ffmpegPublish(
  port: number,
  path: string,
  codec: readonly string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
) {
  const inputs = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=25:duration=2',
    '-f',
    'lavfi',
    '-i',
    'sine=duration=2',
  ];
  return run('ffmpeg', [
    '-hide_banner',
    '-nostdin',
    ...inputs,
    ...codec,
    '-f',
    'flv',
    `rtmp://127.0.0.1:${port}/${path}`,
  ]).then(
    ({ stderr }) => ({ ok: true, stderr }),
    (error: { stderr: string }) => ({ ok: false, stderr: error.stderr }),
  );
}

test('every picture and sound frame that ffmpeg publishes arrives, in order of its time', async () => {
  await using recorder = await RtmpRecorder.start();
  const { ok } = await ffmpegPublish(recorder.port, 'live/good?priority=2&name=a%20b');
  const { tags, request, closed } = await recorded(recorder, 'good');
  expect(ok).toBe(true);
  expect(request.query).toEqual({ priority: '2', name: 'a b' });
  expect(request.encoder).toContain('Lavf');
  expect(closed).toBe('the publisher ended the stream');
  const video = tags.filter(({ kind }) => kind === 'video');
  // 50 pictures, the sequence header and the end of sequence.
  expect(video).toHaveLength(52);
  expect(video.map(({ timestampMs }) => timestampMs)).toEqual(
    video.map(({ timestampMs }) => timestampMs).toSorted((a, b) => a - b),
  );
});

async function recorded(recorder: RtmpRecorder, key: string) {
  const recording: Recording = await recorder.of(key);
  return { tags: recording.tags, request: recording.request, closed: await recording.closed() };
}

// ffmpeg splits a URL at its slashes, and what is left of it is the key.
test.each(['live/good', 'live/good/', '/live//good', 'good', 'live/%67ood', 'live/good?priority=1'])(
  'ffmpeg that publishes to %s is taken for the key that it means',
  async (path) => {
    await using recorder = await RtmpRecorder.start();
    const { ok } = await ffmpegPublish(recorder.port, path);
    expect(ok).toBe(true);
    expect((await recorder.of('good')).tags.length).toBeGreaterThan(50);
  },
);

test.each([
  {
    what: 'a wrong key',
    path: 'live/nobody',
    said: 'STREAM_KEY_UNKNOWN: The stream key is not known: /ops and `tangaza streams create` give one.',
  },
  {
    what: 'no key',
    path: 'live/',
    said: 'STREAM_KEY_MISSING: No stream key was given: publish to rtmp://HOST/live/STREAM_KEY.',
  },
  {
    what: 'a wrong application and a wrong key',
    path: 'stream/nobody',
    said: 'STREAM_KEY_UNKNOWN: The stream key is not known: /ops and `tangaza streams create` give one; the application of the URL is not "live": the server is rtmp://HOST/live, and the stream key is the key alone',
  },
  {
    what: 'a folder in the key',
    path: 'live/x/nobody',
    said: 'STREAM_KEY_',
  },
])('ffmpeg with $what shows why, and nobody else notices', async ({ path, said }) => {
  await using recorder = await RtmpRecorder.start();
  await using healthy = await healthyPublisher(recorder);
  const { ok, stderr } = await ffmpegPublish(recorder.port, path);
  expect(ok).toBe(false);
  expect(stderr).toContain(`Server error: ${said}`);
  expect(JSON.stringify(recorder.lines)).not.toContain('nobody');
  await healthy.stillOnAir();
});

test.each([
  {
    what: 'an HTTP request',
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    said: 'what came is HTTP: publish to rtmp://, not to rtmpt:// or http://',
  },
  {
    what: 'a TLS hello',
    bytes: Buffer.from('16030100c8010000c40303', 'hex'),
    said: 'what came is TLS: publish to rtmp://, not to rtmps://',
  },
  {
    what: 'encrypted RTMP',
    bytes: Buffer.alloc(1537, 6),
    said: 'what came is RTMPE: publish to rtmp://, not to rtmpe://',
  },
  { what: 'noise', bytes: Buffer.from('hello, world'), said: 'what came is not RTMP' },
  {
    what: 'a handshake followed by noise',
    bytes: Buffer.concat([Buffer.of(3), Buffer.alloc(3072, 9), Buffer.alloc(4000, 0xff)]),
    said: 'Not RTMP as we take it: ',
  },
])(
  '$what on the port is closed at once, with a line in the log, and nobody else notices',
  async ({ bytes, said }) => {
    await using recorder = await RtmpRecorder.start({ limits: { handshakeTimeoutMs: 60_000 } });
    await using healthy = await healthyPublisher(recorder);
    const socket = await openSocket(recorder.port);
    const received: Buffer[] = [];
    socket.on('data', (data) => received.push(data));
    socket.write(bytes);
    await closing(socket);
    // Who does not speak RTMP gets no RTMP for an answer.
    expect(received.length > 0).toBe(bytes.readUInt8(0) === 3);
    expect(recorder.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)).toMatchObject([
      { code: 'MEDIA_INVALID', detail: expect.stringContaining(said) },
    ]);
    await healthy.stillOnAir();
  },
);

// These three wait for seconds, each on a server of its own: together.
test.concurrent('a socket that says nothing, and one that drips its handshake, are closed', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { handshakeTimeoutMs: 3000 } });
  await using healthy = await healthyPublisher(recorder);
  const silent = await openSocket(recorder.port);
  const dripping = await openSocket(recorder.port);
  const drip = setInterval(() => dripping.write(Buffer.of(3)), 20);
  silent.resume();
  dripping.resume();
  await Promise.all([closing(silent), closing(dripping)]);
  clearInterval(drip);
  const faults = recorder.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['detail']);
  expect(faults).toEqual([
    'no publish within 3000 ms of connecting',
    'no publish within 3000 ms of connecting',
  ]);
  await healthy.stillOnAir();
});

test.concurrent('a publisher that freezes is told that it was silent', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { silenceTimeoutMs: 3000 } });
  await using healthy = await healthyPublisher(recorder);
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good-frozen' });
  await publisher.send(feed, { untilMs: 1500 });
  expect(await publisher.refused).toMatchObject({
    code: 'NetStream.Publish.Denied',
    description: 'PUBLISHER_SILENT: nothing came for 3000 ms',
  });
  await publisher.closed;
  expect((await recorder.of('good-frozen')).closeReasons).toEqual([
    'PUBLISHER_SILENT: nothing came for 3000 ms',
  ]);
  await healthy.stillOnAir();
});

test.concurrent('a publisher that drips one endless message is told that no whole one came', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { silenceTimeoutMs: 3000 } });
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good-drip' });
  publisher.write(
    chunked(
      { id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.alloc(60_000) },
      65_536,
    ).subarray(0, 100),
  );
  const drip = setInterval(() => publisher.write(Buffer.of(0)), 20);
  expect(await publisher.refused).toMatchObject({
    description: 'PUBLISHER_SILENT: no whole message came for 9000 ms',
  });
  clearInterval(drip);
});

test('an oversized message is refused by name before it is buffered, while the sender is still sending', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { maxMessageBytes: 200_000 } });
  await using healthy = await healthyPublisher(recorder);
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good-big' });
  publisher.write(
    chunked(
      { id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.alloc(8_000_000) },
      65_536,
    ),
  );
  expect(await publisher.refused).toMatchObject({
    description:
      'MEDIA_INVALID: Not RTMP as we take it: an RTMP message of 8000000 bytes; at most 200000 are taken.',
  });
  await publisher.closed;
  await healthy.stillOnAir();
});

test('before it is authenticated nobody may send a message over 64 kB', async () => {
  await using recorder = await RtmpRecorder.start();
  const publisher = await RtmpPublisher.connect({ port: recorder.port, key: 'good' });
  publisher.write(
    chunked({ id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.alloc(70_000) }, 65_536),
  );
  expect(await publisher.refused).toMatchObject({
    description: expect.stringContaining('70000 bytes; at most 65536'),
  });
});

// Goal: idle sockets keep no publisher out. Method: 300 of them against 20 places, then one more publisher.
test('300 idle connections keep neither a publisher on air nor a new one out', async () => {
  await using recorder = await RtmpRecorder.start({
    limits: { maxConnections: 20, handshakeTimeoutMs: 60_000 },
  });
  await using healthy = await healthyPublisher(recorder);
  const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(recorder.port)));
  for (const socket of sockets) socket.on('error', () => {}).resume();
  await using newcomer = await healthyPublisher(recorder, 'good-newcomer');
  await newcomer.stillOnAir();
  await healthy.stillOnAir();
  for (const socket of sockets) socket.destroy();
});

test('when publishers have all places the next one is told so', async () => {
  await using recorder = await RtmpRecorder.start({ limits: { maxConnections: 2 } });
  await using one = await healthyPublisher(recorder, 'good-1');
  await using two = await healthyPublisher(recorder, 'good-2');
  const { publisher, status } = await RtmpPublisher.publish({ port: recorder.port, key: 'good-3' });
  expect(status).toMatchObject({
    level: 'error',
    description: 'OVERLOADED: this node has no place for another publisher',
  });
  await publisher.closed;
  await one.stillOnAir();
  await two.stillOnAir();
});

test.each([1, 128, 4096, 65_536])(
  'a feed in chunks of %i bytes arrives whole, across the wrap of 32 bits',
  async (chunkSize) => {
    await using recorder = await RtmpRecorder.start();
    const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good', chunkSize });
    await publisher.send(feed, { offsetMs: 2 ** 32 - 2000, untilMs: chunkSize === 1 ? 500 : Infinity });
    await publisher.end();
    const { tags } = await recorded(recorder, 'good');
    const sent = feed.tags.filter(({ timestampMs }) => timestampMs < (chunkSize === 1 ? 500 : Infinity));
    const media = tags.slice(feed.headers.length);
    expect(media.map(({ bytes }) => bytes)).toEqual(sent.map(({ body }) => body.length));
    expect(media.map(({ timestampMs }) => timestampMs)).toEqual(
      sent.map(({ timestampMs }) => (timestampMs + 2 ** 32 - 2000) % 2 ** 32),
    );
  },
);

test('the connect reply offers Enhanced RTMP, and what comes is acknowledged', async () => {
  await using recorder = await RtmpRecorder.start();
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good' });
  expect(publisher.connectReply[2]).toMatchObject({
    fourCcList: ['avc1', 'hvc1', 'av01', 'mp4a'],
    videoFourCcInfoMap: { avc1: 5, hvc1: 5, av01: 5 },
  });
  expect(publisher.connectReply[3]).toMatchObject({ code: 'NetConnection.Connect.Success' });
  await publisher.send(feed, { loops: 20 });
  await publisher.end();
  expect(publisher.acknowledgedBytes).toBeGreaterThan(500_000);
});

test('a player is refused politely', async () => {
  await using recorder = await RtmpRecorder.start();
  const publisher = await RtmpPublisher.connect({ port: recorder.port, key: 'good' });
  await publisher.call('createStream', [null]);
  publisher.command(1, 'play', 0, null, 'good');
  expect(await publisher.refused).toMatchObject({
    code: 'NetStream.Play.Failed',
    description: expect.stringContaining('HLS and DASH'),
  });
  await publisher.closed;
});

test('a publisher that leaves while its key is checked is closed exactly once', async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Recording>();
  const reasons: string[] = [];
  await using recorder = await RtmpRecorder.start({
    onPublish: async () => {
      asked.resolve();
      return answer.promise;
    },
  });
  const publisher = await RtmpPublisher.connect({ port: recorder.port, key: 'good' });
  void publisher.publish().catch(() => {});
  await asked.promise;
  publisher.destroy();
  await publisher.closed;
  const closed = Promise.withResolvers<void>();
  const sink: unknown = {
    onTag: () => {},
    onClose: (reason: string) => closed.resolve(void reasons.push(reason)),
  };
  answer.resolve(sink as Recording);
  await closed.promise;
  expect(reasons).toHaveLength(1);
});

test('stop tells every publisher why, and leaves no connection', async () => {
  await using recorder = await RtmpRecorder.start();
  const { publisher } = await RtmpPublisher.publish({ port: recorder.port, key: 'good' });
  const idle = await openSocket(recorder.port);
  idle.resume();
  await recorder.stop();
  expect(await publisher.refused).toMatchObject({
    description: expect.stringContaining('UNAVAILABLE: this node is stopping'),
  });
  await publisher.closed;
  expect((await recorder.of('good')).closeReasons).toHaveLength(1);
  await expect(openSocket(recorder.port)).rejects.toThrow('ECONNREFUSED');
});

test('two servers in one process do not know of each other', async () => {
  await using a = await RtmpRecorder.start();
  await using b = await RtmpRecorder.start();
  await using one = await healthyPublisher(a, 'good-same');
  await using two = await healthyPublisher(b, 'good-same');
  await a.stop();
  await two.stillOnAir();
  expect(one.recording.closeReasons).toHaveLength(1);
});
