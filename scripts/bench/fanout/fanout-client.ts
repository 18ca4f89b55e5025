/** The load of `bench fanout` in a process of its own: opens sockets, counts what they get, reacts, or asks for manifests meanwhile. */
import { request, Agent } from 'node:http';
import { z } from 'zod';
import { kinds } from './fanout-peers.ts';
import { atPace } from './pace.ts';
import { SocketLoad } from './socket-load.ts';

const Command = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('open'),
    port: z.number(),
    server: z.enum(kinds),
    sockets: z.number(),
    /** How many begin in a second; absent: 100 at a time. */
    perSecond: z.number().optional(),
  }),
  z.object({
    kind: z.literal('begin'),
    manifestPort: z.number().optional(),
    hearsReactions: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('react'), perSecond: z.number(), seconds: z.number() }),
  z.object({ kind: z.literal('heard') }),
  z.object({ kind: z.literal('count') }),
  z.object({ kind: z.literal('end') }),
]);
type Open = Extract<z.infer<typeof Command>, { kind: 'open' }>;

const lanes = 100;
const manifestEveryMs = 25;
const load = new SocketLoad();
const manifestMs: number[] = [];
let stopAsking = (): void => {};

async function open({ port, server, sockets, perSecond }: Open): Promise<readonly number[]> {
  const target = { port, kind: server, stream: 'demo' };
  const took: number[] = [];
  if (perSecond === undefined) {
    const lane = async (_: unknown, index: number): Promise<void> => {
      for (let number = index; number < sockets; number += lanes) took.push(await load.open(target));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return took;
  }
  const opening: Promise<unknown>[] = [];
  for (let number = 0; number < sockets; number += 1) {
    opening.push(load.open(target).then((ms) => took.push(ms)));
    if (number % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 10_000 / perSecond));
  }
  await Promise.all(opening);
  return took;
}

function askForManifests(port: number): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const timer = setInterval(() => {
    const beganMs = performance.now();
    request({ port, host: '127.0.0.1', agent, path: '/live/demo/manifest.mpd' }, (reply) => {
      reply.resume();
      reply.once('end', () => manifestMs.push(performance.now() - beganMs));
    })
      .on('error', () => manifestMs.push(Infinity))
      .end();
  }, manifestEveryMs);
  return () => {
    clearInterval(timer);
    agent.destroy();
  };
}

/** @param share 0.99 for p99 */
function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

async function carryOut(raw: unknown): Promise<object> {
  const command = Command.parse(raw);
  switch (command.kind) {
    case 'open': {
      const took = await open(command);
      return { opened: took.length, welcomeP99Ms: quantile(took, 0.99) };
    }
    case 'begin':
      load.reset(command.hearsReactions);
      if (command.manifestPort !== undefined) stopAsking = askForManifests(command.manifestPort);
      return {};
    case 'react':
      return { said: await atPace(command, (index) => load.react(index)) };
    case 'heard':
      return load.reactions.counted();
    case 'count':
      return { messages: load.messages };
    default:
      stopAsking();
      return {
        messages: load.messages,
        lostSockets: load.lost,
        ageP50Ms: quantile(load.ages, 0.5),
        ageP99Ms: quantile(load.ages, 0.99),
        manifestP99Ms: quantile(manifestMs, 0.99),
        manifests: manifestMs.length,
      };
  }
}

process.on('message', (raw) => {
  void carryOut(raw).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.send?.({ error: String(error) });
    },
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
