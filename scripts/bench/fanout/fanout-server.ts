/** One server of `bench fanout` in a process of its own: `fanout-server.ts KIND`. Says what it is told to, and what that has cost. */
import { z } from 'zod';
import { atPace } from './pace.ts';
import { markText } from './socket-load.ts';
import { kinds, startPeer, type Said } from './fanout-peers.ts';

const Command = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), perSecond: z.number(), seconds: z.number() }),
  z.object({ kind: z.literal('react'), perSecond: z.number(), seconds: z.number() }),
  z.object({ kind: z.literal('cost') }),
]);

const messageBytes = 200;

const peer = await startPeer(z.enum(kinds).parse(process.argv[2]));
const empty = JSON.stringify(messageOf(''));
const padding = 'x'.repeat(messageBytes - Buffer.byteLength(empty));

/** Behind the mark stands when it was said. */
function messageOf(fill: string): Said {
  return { type: 'move', url: `${markText}${Date.now().toString(36)}.${fill}`, withinMs: 0 };
}

function cost(): { readonly cpuSeconds: number; readonly rssBytes: number } {
  if (globalThis.gc !== undefined) for (let round = 0; round < 3; round += 1) globalThis.gc();
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() };
}

process.on('message', (raw) => {
  const command = Command.parse(raw);
  if (command.kind === 'cost') return void process.send?.(cost());
  const run = command.kind === 'say' ? () => peer.say(messageOf(padding)) : () => peer.react?.();
  void atPace(command, run).then((said) => process.send?.({ said }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: peer.port });
