/** A proxy to Cassandra's port for clients that makes it ill: late, or answering every request that it has too much to do. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type Illness =
  | { readonly kind: 'none' }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'overloaded' };

export interface CqlProxy extends AsyncDisposable {
  readonly port: number;
  illness: Illness;
}

/** Of the native protocol: a frame is a header and a body. */
const headerBytes = 9;
const opcodes = { error: 0x00, query: 0x07, execute: 0x0a, batch: 0x0d } as const;
const requests: ReadonlySet<number> = new Set([opcodes.query, opcodes.execute, opcodes.batch]);
const overloaded = 0x1001;

export async function openCqlProxy(host: string, port: number): Promise<CqlProxy> {
  const sockets = new Set<Socket>();
  const state: { illness: Illness } = { illness: { kind: 'none' } };
  const server = createServer((near) => {
    const far = connect({ host, port });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        for (const one of [near, far]) one.destroy();
      });
    }
    const take = framesInto((frame) => {
      const { illness } = state;
      if (illness.kind === 'overloaded' && requests.has(frame.readUInt8(4)))
        return near.write(refusalOf(frame));
      const wait = illness.kind === 'late' ? illness.ms : 0;
      return wait === 0 ? far.write(frame) : setTimeout(() => far.write(frame), wait);
    });
    near.on('data', take);
    far.on('data', (bytes) => near.write(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get illness() {
      return state.illness;
    },
    set illness(illness) {
      state.illness = illness;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function framesInto(onFrame: (frame: Buffer) => void): (bytes: Uint8Array) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(5);
      if (rest.length < end) return;
      onFrame(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

/** The answer to a request: its version with the bit of answers, and its number. */
function refusalOf(request: Buffer): Buffer {
  const words = Buffer.from('too much to do');
  const body = Buffer.alloc(6);
  body.writeInt32BE(overloaded, 0);
  body.writeUInt16BE(words.length, 4);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(request.readUInt8(0) | 0x80, 0);
  header.writeUInt16BE(request.readUInt16BE(2), 2);
  header.writeUInt8(opcodes.error, 4);
  header.writeUInt32BE(body.length + words.length, 5);
  return Buffer.concat([header, body, words]);
}
