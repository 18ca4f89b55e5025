/** One server of `bench fanout` in a process of its own: `fanout-server.ts KIND`. Says what it is told to, and what that has cost. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { markText } from './socket-load.ts';
import { kinds, startPeer, type Said } from './fanout-peers.ts';

const Command = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), perSecond: z.number(), seconds: z.number() }),
  z.object({ kind: z.literal('cost') }),
]);

const messageBytes = 200;
const tickMs = 5;

const peer = await startPeer(z.enum(kinds).parse(process.argv[2]));
const empty = JSON.stringify(messageOf(''));
const padding = 'x'.repeat(messageBytes - Buffer.byteLength(empty));

/** Behind the mark stands when it was said. */
function messageOf(fill: string): Said {
  return { type: 'move', url: `${markText}${Date.now().toString(36)}.${fill}`, withinMs: 0 };
}

/** @returns how many messages were said */
async function say(perSecond: number, seconds: number): Promise<number> {
  const beganMs = performance.now();
  const all = Math.round(perSecond * seconds);
  let said = 0;
  while (said < all) {
    const due = Math.min(all, Math.floor(((performance.now() - beganMs) / 1000) * perSecond));
    for (; said < due; said += 1) peer.say(messageOf(padding));
    await delay(tickMs);
  }
  return said;
}

function cost(): { readonly cpuSeconds: number; readonly rssBytes: number } {
  if (globalThis.gc !== undefined) for (let round = 0; round < 3; round += 1) globalThis.gc();
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() };
}

process.on('message', (raw) => {
  const command = Command.parse(raw);
  if (command.kind === 'cost') return void process.send?.(cost());
  void say(command.perSecond, command.seconds).then((said) => process.send?.({ said }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: peer.port });
