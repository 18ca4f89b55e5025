/** The servers of `bench fanout`: the edge, and what one would build instead. Each sends the same messages to all that are connected. */
import { createServer } from 'node:http';
import { Server as SocketIo } from 'socket.io';
import { WebSocketServer } from 'ws';
import { busyShare } from '../../../actors/edge-delivery/socket/loop-load.system.ts';
import { windowMs } from '../../../actors/reactions/reactions.ts';
import type { AudiencePorts } from '../../../cluster/contract/audience/audience-feed.ts';
import type { AudienceCounts } from '../../../cluster/contract/audience/reactions.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startAudienceEdge } from '../../../test/support/audience/audience-edge.ts';
import { MemoryAudienceFeed } from '../../../test/support/audience/memory-audience-feed.ts';
import { ReactionBus, reactionsAt } from '../../../test/support/audience/reaction-bus.ts';
import { added, commentOf, demo } from '../../../test/support/audience/said.ts';

export const kinds = ['tangaza', 'ws', 'ws, batched', 'socket.io'] as const;
export type Kind = (typeof kinds)[number];

/** A message as the edge has them; of all kinds this one has a text that may be as long as we like. */
export interface Said {
  readonly type: 'move';
  readonly url: string;
  readonly withinMs: number;
}

export interface Peer {
  readonly port: number;
  say(message: Said): void;
  /** One tap of one viewer. Only the edge has them. */
  react?(): void;
}

const batchMs = 50;

export async function startPeer(kind: Kind): Promise<Peer> {
  switch (kind) {
    case 'tangaza':
      return startTangaza();
    case 'ws':
      return startWs((send) => (message) => send(JSON.stringify(message)));
    case 'ws, batched':
      return startWs(batched);
    default:
      return startSocketIo();
  }
}

/** The real edge: listener, core, hubs, sums; its feed is in memory. It has a stream on air, and what was said before. */
async function startTangaza(): Promise<Peer> {
  const feed = new MemoryAudienceFeed();
  const audience: AudiencePorts = { feed };
  const ownCounts = (): ReadonlyMap<StreamId, AudienceCounts> => audience.ownCounts?.() ?? new Map();
  const reactions = reactionsAt(new ReactionBus(), { clock: systemClock, ownCounts });
  audience.reactions = reactions;
  systemClock.every(windowMs, () => reactions.endWindow());
  const edge = await startAudienceEdge({ busyShare: busyShare(), audience });
  await edge.broadcast(30);
  for (let number = 0; number < 50; number += 1) feed.tell(demo, added(commentOf(number)));
  return {
    port: edge.port,
    say: (message) => feed.tell(demo, message),
    react: () => reactions.react(demo, { kind: 'heart' }),
  };
}

type Send = (text: string) => void;

async function startWs(make: (send: Send) => (message: Said) => void): Promise<Peer> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  // A buffer is the cheapest that it takes: a string is encoded for each socket.
  const say = make((text) => {
    const bytes = Buffer.from(text);
    for (const socket of sockets.clients) socket.send(bytes, { binary: false });
  });
  return { port: await listen(server), say };
}

/** Gathers as the edge does. */
function batched(send: Send): (message: Said) => void {
  let batch: Said[] = [];
  return (message) => {
    batch.push(message);
    if (batch.length > 1) return;
    setTimeout(() => {
      send(JSON.stringify(batch));
      batch = [];
    }, batchMs);
  };
}

async function startSocketIo(): Promise<Peer> {
  const server = createServer();
  const io = new SocketIo(server, { transports: ['websocket'], serveClient: false });
  return { port: await listen(server), say: (message) => void io.emit('message', message) };
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}
