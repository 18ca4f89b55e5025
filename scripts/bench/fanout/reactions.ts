/**
 * The part of `bench fanout` with reactions: 100,000 taps a second into the edge's sums, and 10,000 a second over its sockets, while 1,000
 * sockets hear of them.
 *
 * Frames with reactions are counted at every 50th socket: the most that came within any second. All taps must be in the sums of one socket.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { startProcess } from './pinned-process.ts';

export interface ReactionTurn {
  readonly name: string;
  readonly taps: number;
  /** Of them, how many were in the sums that a socket got. */
  readonly counted: number;
  /** Frames with reactions, of any socket in any second. */
  readonly mostFrames: number;
  /** CPU seconds of the edge in a second. */
  readonly busy: number;
}

export const mostReactionFrames = 5;
const sockets = 1000;
const longestDrainMs = 5000;
const turns = [
  { name: '100,000 reactions/s into the sums', by: 'server', perSecond: 100_000 },
  { name: '10,000 reactions/s over sockets', by: 'client', perSecond: 10_000 },
] as const;

export const reactionsAreReached = ({ taps, counted, mostFrames }: ReactionTurn): boolean =>
  counted === taps && mostFrames <= mostReactionFrames;

export async function measureReactions(seconds: number): Promise<readonly ReactionTurn[]> {
  const measured: ReactionTurn[] = [];
  for (const turn of turns) measured.push(await measure(turn, seconds));
  return measured;
}

const Port = z.object({ port: z.number() });
const Cost = z.object({ cpuSeconds: z.number() });
const Said = z.object({ said: z.number() });
const Heard = z.object({ reactions: z.number(), mostFrames: z.number() });

async function measure(
  { name, by, perSecond }: (typeof turns)[number],
  seconds: number,
): Promise<ReactionTurn> {
  await using server = await startProcess('fanout-server.ts', ['tangaza'], 0);
  await using client = await startProcess('fanout-client.ts', [], 1);
  const { port } = Port.parse(server.first);
  await client.ask(z.unknown(), { kind: 'open', port, server: 'tangaza', sockets });
  await client.ask(z.unknown(), { kind: 'begin', hearsReactions: true });
  const before = await server.ask(Cost, { kind: 'cost' });
  const teller = by === 'server' ? server : client;
  const { said: taps } = await teller.ask(Said, { kind: 'react', perSecond, seconds });
  const after = await server.ask(Cost, { kind: 'cost' });
  const untilMs = performance.now() + longestDrainMs;
  let heard = await client.ask(Heard, { kind: 'heard' });
  while (heard.reactions < taps && performance.now() < untilMs) {
    await delay(100);
    heard = await client.ask(Heard, { kind: 'heard' });
  }
  const busy = (after.cpuSeconds - before.cpuSeconds) / seconds;
  return { name, taps, counted: heard.reactions, mostFrames: heard.mostFrames, busy };
}
