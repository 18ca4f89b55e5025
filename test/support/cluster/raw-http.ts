/** HTTP by hand over a socket, for what no client would send. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Sends `text` and gathers what comes until `until` matches, the peer closes, or `ms` pass. */
export async function rawRequest(
  port: number,
  text: string | Uint8Array,
  options: { until?: RegExp; ms?: number; from?: string } = {},
): Promise<string> {
  const socket = await openSocket(port, options.from);
  try {
    socket.write(text);
    return await readUntil(socket, options);
  } finally {
    socket.destroy();
  }
}

/** @param from the address of this host that it comes from: another one of 127.0.0.0/8 is another network to the server */
export async function openSocket(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {}); // a reset is one of the answers
  await once(socket, 'connect');
  return socket;
}

export async function readUntil(
  socket: Socket,
  { until, ms = 20_000 }: { until?: RegExp; ms?: number } = {},
): Promise<string> {
  let text = '';
  const timer = setTimeout(() => socket.destroy(), ms);
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      if (until?.test(text) === true) return text;
    }
  } catch {
    // reset by the peer: what came is the answer
  } finally {
    clearTimeout(timer);
  }
  return text;
}
