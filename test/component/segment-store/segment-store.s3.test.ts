/** The S3 store when its server dies, freezes, refuses, or says what VersityGW never says. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openS3Store, type S3StoreOptions } from '../../../actors/segment-store/segment-store.s3.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startVersityGw } from '../../support/ports/stores/versitygw.ts';

const key = `demo/1/h264-720p/0-${'a'.repeat(16)}`;
const body = new Uint8Array(100_000).fill(7);
const code = (name: string): unknown => expect.objectContaining({ code: name });
const ports = { bucket: 'segments', clock: systemClock, metrics: noMetrics };

test('an object of several megabytes comes back whole, and so do its ranges', async () => {
  await using server = await startVersityGw();
  const store = await openS3Store({ ...server, ...ports });
  const large = Uint8Array.from({ length: 6_000_000 }, (_, index) => (index * 31) % 256);
  expect(await store.putIfAbsent(key, large)).toBe('stored');
  expect(Buffer.from(await store.get(key)).equals(large)).toBe(true);
  const range = await store.range(key, 2_500_000, 5_500_000);
  expect(Buffer.from(range).equals(large.subarray(2_500_000, 5_500_000))).toBe(true);
});

test('two nodes that find no bucket at once both end up with it', async () => {
  await using server = await startVersityGw();
  const stores = await Promise.all([1, 2, 3, 4].map(() => openS3Store({ ...server, ...ports })));
  expect(await stores[0]?.putIfAbsent(key, body)).toBe('stored');
  expect(await stores[3]?.putIfAbsent(key, body)).toBe('present');
});

// Goal: a crash of the server is no crash of ours. Method: kill it, put, start it again on the same port and folder.
test('a put that finds the server dead is stored once it is back', async () => {
  await using server = await startVersityGw();
  const store = await openS3Store({ ...server, ...ports, maxAttempts: 30 });
  await store.putIfAbsent('before/x', body);
  await server.kill();
  const put = store.putIfAbsent(key, body);
  await server.restart();
  expect(await put).toBe('stored');
  expect((await store.get('before/x')).length).toBe(body.length);
});

test('a server that stays dead is STORE_UNAVAILABLE', async () => {
  await using server = await startVersityGw();
  const store = await openS3Store({ ...server, ...ports, maxAttempts: 2 });
  await server.kill();
  await expect(store.putIfAbsent(key, body)).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(store.get(key)).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(Array.fromAsync(store.list(''))).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(store.delete([key])).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(openS3Store({ ...server, ...ports, maxAttempts: 1 })).rejects.toThrow(
    code('STORE_UNAVAILABLE'),
  );
});

test('a frozen server is STORE_UNAVAILABLE after the time-out, and works again when it thaws', async () => {
  await using server = await startVersityGw();
  const patient = await openS3Store({ ...server, ...ports });
  await patient.putIfAbsent(key, body);
  const hasty = await openS3Store({ ...server, ...ports, attemptTimeoutMs: 2000, maxAttempts: 2 });
  server.freeze();
  await expect(hasty.get(key)).rejects.toThrow(code('STORE_UNAVAILABLE'));
  server.thaw();
  expect((await patient.get(key)).length).toBe(body.length);
});

test('a wrong secret is STORE_UNAVAILABLE with advice, and never shown', async () => {
  await using server = await startVersityGw();
  const opening = openS3Store({ ...server, ...ports, secretKey: 'not-the-secret' });
  await expect(opening).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(opening).rejects.toThrow(/403.*Check the keys/);
  await expect(opening).rejects.not.toThrow(/not-the-secret/);
});

test('a bucket that somebody removed is STORE_UNAVAILABLE, not a missing object', async () => {
  await using server = await startVersityGw();
  const store = await openS3Store({ ...server, ...ports, maxAttempts: 1 });
  await rm(join(server.dir, 'segments'), { recursive: true });
  await expect(store.get(key)).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(store.putIfAbsent(key, body)).rejects.toThrow(code('STORE_UNAVAILABLE'));
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const xml =
  (status: number, name: string): Answer =>
  (_, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${name}</Code></Error>`);
const ok: Answer = (_, response) => void response.writeHead(200, { etag: '"x"' }).end();
const hangUp: Answer = (request) => void request.socket.destroy();
const half: Answer = (_, response) => {
  response.writeHead(200, { 'content-length': '10', etag: '"x"' }).write('half');
  setImmediate(() => response.socket?.destroy());
};
const whole: Answer = (_, response) =>
  void response.writeHead(200, { 'content-length': '4', etag: '"x"' }).end('full');
const stalls: Answer = (_, response) =>
  void response.writeHead(200, { 'content-length': '10', etag: '"x"' }).write('half');
const deleted: Answer = (_, response) => void response.writeHead(200).end('<DeleteResult/>');
const silent: Answer = () => {};

/** A server that answers each request with the next answer of the list, and notes what was asked. */
async function scripted(
  ...answers: readonly Answer[]
): Promise<{ options: S3StoreOptions; asked: string[] } & AsyncDisposable> {
  const asked: string[] = [];
  // The first request looks for the bucket.
  const left = [ok, ...answers];
  const server = createServer((request, response) => {
    request.resume();
    asked.push(`${request.method}${request.headers['if-none-match'] === '*' ? ' if absent' : ''}`);
    request.once('end', () => (left.shift() ?? xml(500, 'NothingLeft'))(request, response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const options = { ...ports, endpoint, region: 'us-east-1', accessKey: 'a', secretKey: 'b', maxAttempts: 3 };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { options, asked, [Symbol.asyncDispose]: close };
}

test.each([
  ['412 means present', [xml(412, 'PreconditionFailed')], 'present', 1],
  ['409, and the object is there: present', [xml(409, 'ConditionalRequestConflict'), ok], 'present', 2],
  [
    '409, and it is not there: put again',
    [xml(409, 'ConditionalRequestConflict'), (_, response) => void response.writeHead(404).end(), ok],
    'stored',
    3,
  ],
  ['a lost answer: put again, and found present', [hangUp, xml(412, 'PreconditionFailed')], 'present', 2],
  ['503 SlowDown: put again', [xml(503, 'SlowDown'), ok], 'stored', 2],
] satisfies [string, Answer[], string, number][])('put: %s', async (_, answers, outcome, requests) => {
  await using server = await scripted(...answers);
  const store = await openS3Store(server.options);
  expect(await store.putIfAbsent(key, body)).toBe(outcome);
  expect(server.asked).toHaveLength(1 + requests);
  expect(server.asked[1]).toBe('PUT if absent');
});

test.each([
  ['507 is STORE_FULL, and not tried again', [xml(507, 'InsufficientStorage')], 'STORE_FULL', 1],
  ['a quota is STORE_FULL', [xml(403, 'QuotaExceeded')], 'STORE_FULL', 1],
  ['501: the server has no conditional writes', [xml(501, 'NotImplemented')], 'STORE_UNAVAILABLE', 1],
  [
    '500 again and again',
    [xml(500, 'InternalError'), xml(500, 'InternalError'), xml(500, 'InternalError')],
    'STORE_UNAVAILABLE',
    3,
  ],
] satisfies [string, Answer[], string, number][])('put: %s', async (_, answers, name, requests) => {
  await using server = await scripted(...answers);
  const store = await openS3Store(server.options);
  await expect(store.putIfAbsent(key, body)).rejects.toThrow(code(name));
  expect(server.asked).toHaveLength(1 + requests);
});

// Goal: what a store refuses is the store's fault, to be tried again later, and says what to do about it.
test.each([
  ['no access', xml(403, 'AccessDenied'), 'Check the keys'],
  ['a session that ended', xml(400, 'ExpiredToken'), 'Renew the session token'],
  ['a clock that is wrong', xml(403, 'RequestTimeTooSkewed'), "Set this machine's clock"],
  ['a bucket that is gone', xml(404, 'NoSuchBucket'), 'bucket is gone'],
  ['something in front that knows no such page', xml(404, 'Nowhere'), '404 Nowhere'],
  ['another region', xml(301, 'PermanentRedirect'), 'TANGAZA_S3_REGION'],
] satisfies [string, Answer, string][])(
  '%s: no operation takes it for a missing object',
  async (_, answer, said) => {
    const refused = expect.objectContaining({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(said),
    });
    await using server = await scripted(answer, answer, answer, answer);
    const store = await openS3Store({ ...server.options, maxAttempts: 1 });
    await expect(store.putIfAbsent(key, body)).rejects.toThrow(refused);
    await expect(store.get(key)).rejects.toThrow(refused);
    await expect(Array.fromAsync(store.list(''))).rejects.toThrow(refused);
    await expect(store.delete([key])).rejects.toThrow(refused);
  },
);

test('a server whose name is not known is STORE_UNAVAILABLE, with what to check', async () => {
  const endpoint = 'http://no-such-host.invalid';
  const opening = openS3Store({
    ...ports,
    endpoint,
    region: 'x',
    accessKey: 'a',
    secretKey: 'b',
    maxAttempts: 1,
  });
  await expect(opening).rejects.toThrow(code('STORE_UNAVAILABLE'));
  await expect(opening).rejects.toThrow(/ENOTFOUND.*TANGAZA_S3_ENDPOINT|EAI_AGAIN.*name server/);
});

test('get: a body that breaks off is read again', async () => {
  await using server = await scripted(half, whole);
  const store = await openS3Store(server.options);
  expect(Buffer.from(await store.get(key)).toString()).toBe('full');
});

test('get: a body that stalls ends at the time-out', async () => {
  await using server = await scripted(stalls, whole);
  const store = await openS3Store({ ...server.options, attemptTimeoutMs: 2000 });
  expect(Buffer.from(await store.get(key)).toString()).toBe('full');
});

test('delete: keys that the server refused are deleted again', async () => {
  const refused: Answer = (_, response) =>
    void response
      .writeHead(200)
      .end(`<DeleteResult><Error><Key>${key}</Key><Code>InternalError</Code></Error></DeleteResult>`);
  await using server = await scripted(refused, deleted);
  const store = await openS3Store(server.options);
  await store.delete([key]);
  expect(server.asked).toEqual(['HEAD', 'POST', 'POST']);
});

test('a caller that gives up ends the request with its own reason', async () => {
  await using server = await scripted(silent);
  const store = await openS3Store(server.options);
  const patience = new AbortController();
  const get = store.get(key, patience.signal);
  await expect.poll(() => server.asked.length).toBe(2);
  patience.abort(new Error('impatient'));
  await expect(get).rejects.toThrow('impatient');
});
