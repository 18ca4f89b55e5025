/**
 * Opens very many requests that the server holds, in a process of its own, for each process has a limit of open files.
 * With "half" each is an upgrade to a live socket whose last line never comes.
 * Prints `opened` when all are sent, and `statuses {…}` when all have ended.
 */
import { connect } from 'node:net';

const [port = '0', count = '0', path = '/', how = 'whole'] = process.argv.slice(2);
const total = Number(count);
const upgrade =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const ending = how === 'half' ? upgrade : '\r\n';
const statuses: Record<string, number> = {};
let [started, opened, ended] = [0, 0, 0];

function openNext(): void {
  if (started === total) return;
  started++;
  let text = '';
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  socket.on('connect', () => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${ending}`);
    opened++;
    if (opened === total) process.stdout.write('opened\n');
    openNext();
  });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.includes('\r\n\r\n')) socket.destroy();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'none';
    statuses[status] = (statuses[status] ?? 0) + 1;
    ended++;
    if (ended === total) process.stdout.write(`statuses ${JSON.stringify(statuses)}\n`);
  });
}

for (let lane = 0; lane < 50; lane++) openNext();
