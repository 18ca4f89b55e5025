/**
 * Finds out who answers on a port of this machine, without mistaking its own connection for an answer. The kernel may give a connection to
 * a missing server that server's own port as its source, and the connection then meets itself. The look would succeed, and the server would
 * find its port taken. So a look comes from another loopback address, where there is one, and whoever answers must give a name.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { z } from 'zod';

/** Linux has all of 127/8. Elsewhere such an address would have to be set up. */
const fromElsewhere = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {};
const mostBytes = 65_536;

const Said = z.object({ node: z.string().optional() });
const Info = z.object({ server_name: z.string() });

/** `nobody`: no answer, or none that can be read. `as`: the name that the answer gave, if any. */
export type Answer =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'somebody'; readonly as: string | undefined; readonly status: number };

const nobody: Answer = { kind: 'nobody' };

/** Asks over HTTP. A JSON body with a `node` names the one who answers. */
export function askHttp(url: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const asked = request(url, { ...fromElsewhere, agent: false, timeout: timeoutMs }, (reply) => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (part: string) => {
        if (text.length < mostBytes) text += part;
      });
      reply.once('close', () => {
        const said = reply.complete ? nameIn(text) : undefined;
        resolve(reply.complete ? { kind: 'somebody', as: said, status: reply.statusCode ?? 0 } : nobody);
      });
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(nobody));
    asked.end();
  });
}

/** A nats-server sends its name in its first line, before it is asked. */
export function askNats(port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ...fromElsewhere });
    let text = '';
    const end = (answer: Answer): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setEncoding('utf8').setTimeout(timeoutMs, () => end(nobody));
    socket.on('error', () => end(nobody));
    socket.on('close', () => end(nobody));
    socket.on('data', (part: string) => {
      text += part;
      const line = /^INFO (\{.*\})\s*\r\n/.exec(text)?.[1];
      if (line !== undefined) end({ kind: 'somebody', as: serverIn(line), status: 200 });
      else if (text.length > mostBytes) end(nobody);
    });
  });
}

/** Asks a Cassandra for what it supports, which it answers before anybody has signed in. It gives no name. */
export function askCql(address: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: address });
    const end = (answer: Answer): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end(nobody));
    socket.on('error', () => end(nobody));
    socket.on('close', () => end(nobody));
    socket.on('connect', () => socket.write(cql.options));
    socket.on('data', (part: Buffer) =>
      end(part[cql.opcodeAt] === cql.supported ? { kind: 'somebody', as: undefined, status: 200 } : nobody),
    );
  });
}

/** Frames of version 4 of Cassandra's protocol: version, flags, stream (2), opcode, length (4). */
const cql = { options: Buffer.from([4, 0, 0, 0, 5, 0, 0, 0, 0]), opcodeAt: 4, supported: 6 };

function nameIn(text: string): string | undefined {
  return Said.safeParse(jsonOf(text)).data?.node;
}

function serverIn(line: string): string | undefined {
  return Info.safeParse(jsonOf(line)).data?.server_name;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
