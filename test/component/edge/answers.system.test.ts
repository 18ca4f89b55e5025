/** Looks at a port of this machine: who answers is told by name, and a look never meets itself. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { askHttp, askNats } from '../../../scripts/demo/answers.system.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

const withinMs = 5000;

interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly from: string[];
}

async function listening(server: Server): Promise<Listening> {
  const from: string[] = [];
  server.on('connection', (socket: Socket) => void from.push(socket.remoteAddress ?? ''));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { port, from, [Symbol.asyncDispose]: close };
}

const echo = (): Server => createServer((socket) => void socket.pipe(socket));

test('an HTTP server is told with the name that it gives, and its status', async () => {
  await using server = await listening(
    createHttpServer(
      (_, reply) => void reply.writeHead(503).end(JSON.stringify({ ready: false, node: 'n1' })),
    ),
  );
  expect(await askHttp(`http://127.0.0.1:${server.port}/readyz`, withinMs)).toEqual({
    kind: 'somebody',
    as: 'n1',
    status: 503,
  });
});

test('one that gives no name is somebody without one', async () => {
  await using server = await listening(createHttpServer((_, reply) => void reply.end('<html>')));
  expect(await askHttp(`http://127.0.0.1:${server.port}/readyz`, withinMs)).toEqual({
    kind: 'somebody',
    as: undefined,
    status: 200,
  });
});

test('a nats-server tells its name; a server of HTTP is none', async () => {
  await using nats = await startNats({ args: ['-n', 'region-1-nats'] });
  expect(await askNats(nats.port, withinMs)).toMatchObject({ kind: 'somebody', as: 'region-1-nats' });
  await using server = await listening(createHttpServer((_, reply) => void reply.end('x')));
  expect(await askNats(server.port, 300)).toEqual({ kind: 'nobody' });
});

test('nobody answers where nobody listens, and where only what was sent comes back', async () => {
  await using server = await listening(echo());
  expect(await askHttp(`http://127.0.0.1:${server.port}/`, withinMs)).toEqual({ kind: 'nobody' });
  expect(await askNats(server.port, 300)).toEqual({ kind: 'nobody' });
  const { port } = await (async () => {
    await using gone = await listening(echo());
    return gone;
  })();
  expect(await askHttp(`http://127.0.0.1:${port}/`, withinMs)).toEqual({ kind: 'nobody' });
  expect(await askNats(port, withinMs)).toEqual({ kind: 'nobody' });
});

// Goal: a look at a port that the kernel gives to connections does not find itself there, nor take the port from the server that is
// expected. Method: it comes from another address than the one it asks, so no port can be both of its ends.
test('a look comes from another address than it asks', async () => {
  await using server = await listening(echo());
  await askHttp(`http://127.0.0.1:${server.port}/`, withinMs);
  await askNats(server.port, 300);
  expect(server.from).toEqual(['127.0.0.2', '127.0.0.2']);
});
