/** A page that reads too slowly costs the node a bounded memory, and its neighbours nothing (A8). */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { emptyReply } from '../../../actors/edge-delivery/http/http.ts';
import { uwsServer } from '../../../actors/edge-delivery/http/http.uws.ts';
import type {
  Publish,
  SocketHandlers,
  SocketLink,
} from '../../../actors/edge-delivery/socket/socket-port.ts';
import { socketCloses } from '../../../cluster/contract/audience/socket-closes.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startAudienceEdge, type AudienceEdge } from '../../support/audience/audience-edge.ts';
import { openPage, welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { added, commentOf, demo, hidden } from '../../support/audience/said.ts';
import { waitUntil } from '../../support/wait.ts';

/** The connection under a page. */
function tcpOf(page: PageSocket): Socket {
  const socket: unknown = Reflect.get(page.socket, '_socket');
  return socket as Socket;
}

/** How many readers get nothing of their stream for now. */
const left = (edge: AudienceEdge): Promise<number> =>
  edge.metric('tangaza_socket_slow_readers{[^}]*gets="nothing"[^}]*}');

/** Says so much that no kernel keeps it all for a reader who takes nothing. @returns how many comments */
async function flood(
  edge: AudienceEdge,
  other: PageSocket,
  from: number,
  isEnough: () => Promise<boolean>,
): Promise<number> {
  let number = from;
  await waitUntil('the reader is far behind', async () => {
    for (let count = 0; count < 100; count += 1) {
      number += 1;
      edge.feed.tell(demo, added(commentOf(number, { text: 'x'.repeat(2000) })));
    }
    await other.comments(number);
    return isEnough();
  });
  return number;
}

// Goal: who falls behind loses nothing for good, and does not hold up others. Method: a page stops reading; another reads on while so much
// is said that both topics are left; a comment is hidden meanwhile; then the first reads again.
test('a page that stops reading and reads on is told what it missed: each hide, and a gap', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await welcomedPage(edge.url);
  tcpOf(page).pause();
  const said = await flood(edge, other, 0, async () => (await left(edge)) === 1);
  edge.feed.tell(demo, hidden(commentOf(1)));
  await other.next('commentUpdated');
  tcpOf(page).resume();
  const gap = await page.next('gap');
  expect(page.heard.some((message) => message.type === 'commentUpdated' && message.comment.hidden)).toBe(
    true,
  );
  expect(gap.from < gap.to).toBe(true);
  await expect.poll(() => left(edge)).toBe(0);
  edge.feed.tell(demo, added(commentOf(said + 1)));
  await waitUntil('it hears the newest', () =>
    page.heard.some((message) => message.type === 'comment' && message.comment.id === commentOf(said + 1).id),
  );
  const ids = page.heard.flatMap((message) => (message.type === 'comment' ? [message.comment.id] : []));
  expect({ twice: ids.length - new Set(ids).size, isInOrder: ids.join() === ids.toSorted().join() }).toEqual({
    twice: 0,
    isInOrder: true,
  });
});

test('a page that reads nothing for 30 s is cut off, and others hear everything', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await openPage(edge.url, { hello: {} });
  await page.next('welcome');
  tcpOf(page).pause();
  const closed = once(page.socket, 'close');
  const said = await flood(edge, other, 0, async () => (await left(edge)) === 1);
  edge.pass(31_000);
  await expect.poll(() => edge.metric('tangaza_socket_ended_total')).toBe(1);
  edge.feed.tell(demo, added(commentOf(said + 1)));
  expect((await other.comments(said + 1)).length).toBe(said + 1);
  tcpOf(page).resume();
  await closed;
});

// Goal: what the library drops is never lost in silence, however soon the reader is back. Method: so much is said at once, while a page does
// not read, that frames are dropped; it reads on in the same moment, so that nothing is buffered any more when the node looks again.
test('a frame that was dropped is told as a gap, also to a reader who is back at once', async () => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url);
  let said = 0;
  for (let round = 0; round < 10; round += 1) {
    tcpOf(page).pause();
    for (let count = 0; count < 6000; count += 1) {
      said += 1;
      edge.feed.tell(demo, added(commentOf(said, { text: 'x'.repeat(1500) })));
    }
    tcpOf(page).resume();
    const gaps = page.heard.filter(({ type }) => type === 'gap').length;
    await waitUntil('all is heard, or a gap', () => {
      const heard = page.heard.filter(({ type }) => type === 'comment').length;
      return heard === said || page.heard.filter(({ type }) => type === 'gap').length > gaps;
    });
    const lost = said - page.heard.filter(({ type }) => type === 'comment').length;
    if (lost > 0) return;
  }
  throw new Error('the kernel kept everything: nothing was dropped');
});

const upgradeRequest = [
  'GET /v1/streams/demo/socket HTTP/1.1',
  'Host: a',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: tangaza.v1',
  '\r\n',
].join('\r\n');

/** A server with nothing but sockets, each of which hears what is said. */
async function startSockets() {
  const told = { dropped: 0, closed: 0 };
  const links: SocketLink[] = [];
  let say: Publish = () => 0;
  const handlers: SocketHandlers = {
    publishBy: (publish) => (say = publish),
    admit: () => ({
      stream: demo,
      address: '127.0.0.1',
      network: '127.0.0.1',
      origin: 'http://a',
      front: undefined,
    }),
    open: (link) => {
      link.join('all');
      links.push(link);
      return {
        frame: () => {},
        alive: () => {},
        drained: () => {},
        dropped: () => void told.dropped++,
        closed: () => void told.closed++,
      };
    },
  };
  const server = uwsServer({ clock: systemClock, metrics: noMetrics, logger: silentLogger });
  const port = await server.listen('127.0.0.1', 0, {
    hot: () => undefined,
    handle: () => emptyReply(404),
    sockets: handlers,
  });
  const flood = () =>
    waitUntil('a frame is dropped', () => {
      for (let count = 0; count < 100; count += 1) say('all', `[${JSON.stringify('x'.repeat(50_000))}]`);
      return told.dropped > 0;
    });
  return { told, links, port, flood, [Symbol.asyncDispose]: () => server.close(0) };
}

/** How many connections to a port this process still holds: the kernel's own table, in which what nobody holds has inode 0. */
async function heldConnections(port: number): Promise<number> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = '0A';
  return rows.filter(
    ([, at, , state, , , , , , inode]) =>
      at?.endsWith(local) === true && state !== listening && inode !== '0',
  ).length;
}

// Goal: a socket that the node ended holds none of its files, whatever its client does; it is counted no more by then. Method: a client that never reads, with frames buffered
// for it, and one that reads and never closes; the kernel is asked.
test.each(['reads nothing', 'never closes'])(
  'a socket that is ended is let go, though its client %s',
  async (kind) => {
    await using sockets = await startSockets();
    const client = connect({ port: sockets.port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(upgradeRequest);
    await once(client, 'data');
    await waitUntil('it is open', () => sockets.links.length === 1);
    if (kind === 'reads nothing') {
      client.pause();
      await sockets.flood();
    } else client.resume();
    expect(await heldConnections(sockets.port)).toBe(1);
    sockets.links[0]?.end(socketCloses.late);
    await waitUntil('nothing is held', async () => (await heldConnections(sockets.port)) === 0);
    expect(sockets.told.closed).toBe(1);
    client.destroy();
  },
);

// Goal: the adapter tells what the library drops. Method: handlers of the test's own, and a page that does not read.
test('a frame that the library drops is told to the socket that lacks it', async () => {
  await using sockets = await startSockets();
  await using page = await openPage(`http://127.0.0.1:${sockets.port}`);
  tcpOf(page).pause();
  await sockets.flood();
  page.socket.terminate();
  await waitUntil('it has closed', () => sockets.told.closed === 1);
});
