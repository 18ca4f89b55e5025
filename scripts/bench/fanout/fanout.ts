/**
 * Benchmark of the fan-out: CPU time of the server for each message that reaches a socket, 200 bytes each, against a plain `ws` server and
 * Socket.IO; a `ws` server that gathers as the edge does stands beside them.
 *
 * Server and load are a process each, on a core each. The CPU time is the server's own count (user and system), from before the first
 * message until the last socket has the last one. Every message is counted at every socket, so a server that drops some fails. Turns are
 * interleaved, each with a server of its own; a ratio is the median of the ratios of the rounds. What the machine does beside costs all.
 *
 * Ages are those of messages at every 50th socket; with 5,000 sockets the edge serves 40 manifests a second beside them, which a process of
 * their own asks for: that of the sockets would count its own work as the edge's. Both hold what the load's core waits, too. No manifest is
 * asked for while the CPU time is read, as all garbage is collected then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Kind } from './fanout-peers.ts';
import { startProcess } from './pinned-process.ts';
import { measureReactions, reactionsAreReached, type ReactionTurn } from './reactions.ts';

export interface FanoutOptions {
  /** How long is spoken in one turn. By default 5 s. */
  readonly seconds?: number;
  /** By default 3. */
  readonly runs?: number;
  readonly progress?: (line: string) => void;
}

export interface FanoutScenario {
  readonly name: string;
  readonly sockets: number;
  readonly perSecond: number;
  readonly kinds: readonly Kind[];
  /** The edge's cost may be this share of that of each of these. */
  readonly target?: { readonly share: number; readonly of: readonly Kind[] };
}

export interface Turn {
  readonly kind: Kind;
  readonly cpuMicrosecondsPerMessage: number;
  /** CPU seconds of the server in a second. */
  readonly busy: number;
  readonly missing: number;
  readonly ageP50Ms: number;
  readonly ageP99Ms: number;
  readonly manifestP99Ms: number;
}

export interface FanoutCase extends FanoutScenario {
  readonly rounds: readonly (readonly Turn[])[];
  /** The edge's cost by that of the others. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly isReached: boolean;
}

export interface FanoutResult {
  readonly cases: readonly FanoutCase[];
  readonly idleBytes: Readonly<Record<string, number>>;
  readonly welcomeP99Ms: number;
  readonly reactions: readonly ReactionTurn[];
  readonly isReached: boolean;
}

export const idleTargetBytes = 4096;
export const welcomeTargetMs = 1000;
export const ageTargetMs = 400;
export const manifestTargetMs = 50;
const idleSockets = 4000;
const joins = { sockets: 5000, perSecond: 500 };
const longestDrainMs = 30_000;

export const scenarios: readonly FanoutScenario[] = [
  {
    name: '1,000 sockets, 100/s',
    sockets: 1000,
    perSecond: 100,
    kinds: ['tangaza', 'ws', 'ws, batched', 'socket.io'],
    target: { share: 1 / 3, of: ['ws', 'socket.io'] },
  },
  {
    name: '2,000 sockets, 20/s',
    sockets: 2000,
    perSecond: 20,
    kinds: ['tangaza', 'ws', 'ws, batched'],
    target: { share: 0.7, of: ['ws'] },
  },
  { name: '5,000 sockets, 100/s', sockets: 5000, perSecond: 100, kinds: ['tangaza'] },
];

/** @throws Error when a server or the load ends, or a socket is refused */
export async function benchFanout({
  seconds = 5,
  runs = 3,
  progress = () => {},
}: FanoutOptions = {}): Promise<FanoutResult> {
  const cases: FanoutCase[] = [];
  for (const scenario of scenarios) {
    const rounds: (readonly Turn[])[] = [];
    for (let round = 0; round < runs; round += 1) {
      const turns: Turn[] = [];
      for (const kind of rotated(scenario.kinds, round)) turns.push(await measure(kind, scenario, seconds));
      rounds.push(turns);
      progress(`${scenario.name}: ${turns.map(lineOf).join('; ')}`);
    }
    cases.push(caseOf(scenario, rounds));
  }
  const idleBytes: Record<string, number> = {};
  for (const kind of ['tangaza', 'ws', 'socket.io'] as const) idleBytes[kind] = await idleBytesOf(kind);
  progress(`idle: ${JSON.stringify(idleBytes)} bytes`);
  const welcomeP99Ms = await joinMs();
  const reactions = await measureReactions(seconds);
  const isReached =
    cases.every((one) => one.isReached) &&
    (idleBytes['tangaza'] ?? Infinity) <= idleTargetBytes &&
    welcomeP99Ms <= welcomeTargetMs &&
    reactions.every(reactionsAreReached);
  return { cases, idleBytes, welcomeP99Ms, reactions, isReached };
}

const rotated = <T>(all: readonly T[], by: number): readonly T[] => {
  const first = by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
};

const lineOf = ({ kind, cpuMicrosecondsPerMessage, busy }: Turn): string =>
  `${kind} ${cpuMicrosecondsPerMessage.toFixed(2)} µs (${Math.round(busy * 100)} %)`;

function caseOf(scenario: FanoutScenario, rounds: readonly (readonly Turn[])[]): FanoutCase {
  const costOf = (turns: readonly Turn[], kind: Kind): number =>
    turns.find((turn) => turn.kind === kind)?.cpuMicrosecondsPerMessage ?? NaN;
  const others = scenario.kinds.filter((kind) => kind !== 'tangaza');
  const ratios = Object.fromEntries(
    others.map((kind) => [
      kind,
      median(rounds.map((turns) => costOf(turns, 'tangaza') / costOf(turns, kind))),
    ]),
  );
  const { target } = scenario;
  const ours = rounds.flat().filter(({ kind }) => kind === 'tangaza');
  const isCheap =
    target === undefined || target.of.every((kind) => (ratios[kind] ?? Infinity) <= target.share);
  const isHeld =
    target !== undefined ||
    (median(ours.map(({ busy }) => busy)) < 1 &&
      median(ours.map(({ ageP99Ms }) => ageP99Ms)) <= ageTargetMs &&
      median(ours.map(({ manifestP99Ms }) => manifestP99Ms)) <= manifestTargetMs);
  return {
    ...scenario,
    rounds,
    ratios,
    isReached: isCheap && isHeld && ours.every(({ missing }) => missing === 0),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function measure(
  kind: Kind,
  { sockets, perSecond, target }: FanoutScenario,
  seconds: number,
): Promise<Turn> {
  await using server = await startProcess('fanout-server.ts', [kind], 0);
  await using client = await startProcess('fanout-client.ts', [], 1);
  await using viewers = await startProcess('fanout-client.ts', [], 1);
  const { port } = Port.parse(server.first);
  await client.ask(Opened, { kind: 'open', port, server: kind, sockets });
  await client.ask(z.unknown(), { kind: 'begin' });
  const before = await server.ask(Cost, { kind: 'cost' });
  await viewers.ask(z.unknown(), { kind: 'begin', ...(target === undefined ? { manifestPort: port } : {}) });
  const beganMs = performance.now();
  const { said } = await server.ask(z.object({ said: z.number() }), { kind: 'say', perSecond, seconds });
  const spokenSeconds = (performance.now() - beganMs) / 1000;
  const wanted = said * sockets;
  const untilMs = performance.now() + longestDrainMs;
  let got = 0;
  while (got < wanted && performance.now() < untilMs) {
    await delay(50);
    ({ messages: got } = await client.ask(z.object({ messages: z.number() }), { kind: 'count' }));
  }
  const { manifestP99Ms } = await viewers.ask(Counted, { kind: 'end' });
  const after = await server.ask(Cost, { kind: 'cost' });
  const counted = await client.ask(Counted, { kind: 'end' });
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return {
    kind,
    cpuMicrosecondsPerMessage: (cpuSeconds / counted.messages) * 1e6,
    busy: cpuSeconds / spokenSeconds,
    missing: wanted - counted.messages,
    ageP50Ms: counted.ageP50Ms,
    ageP99Ms: counted.ageP99Ms,
    manifestP99Ms,
  };
}

/** What an open socket keeps of the server's memory, by the growth of the process. */
async function idleBytesOf(kind: Kind): Promise<number> {
  await using server = await startProcess('fanout-server.ts', [kind], 0);
  await using warmUp = await startProcess('fanout-client.ts', [], 1);
  await using client = await startProcess('fanout-client.ts', [], 1);
  const { port } = Port.parse(server.first);
  await warmUp.ask(Opened, { kind: 'open', port, server: kind, sockets: 500 });
  const before = await server.ask(Cost, { kind: 'cost' });
  await client.ask(Opened, { kind: 'open', port, server: kind, sockets: idleSockets });
  await delay(1000);
  const after = await server.ask(Cost, { kind: 'cost' });
  return Math.round((after.rssBytes - before.rssBytes) / idleSockets);
}

async function joinMs(): Promise<number> {
  await using server = await startProcess('fanout-server.ts', ['tangaza'], 0);
  await using client = await startProcess('fanout-client.ts', [], 1);
  const { port } = Port.parse(server.first);
  const { welcomeP99Ms } = await client.ask(Opened, { kind: 'open', port, server: 'tangaza', ...joins });
  return welcomeP99Ms;
}

const Port = z.object({ port: z.number() });
const Opened = z.object({ opened: z.number(), welcomeP99Ms: z.number() });
const Cost = z.object({ cpuSeconds: z.number(), rssBytes: z.number() });
const Counted = z.object({
  messages: z.number(),
  ageP50Ms: z.number(),
  ageP99Ms: z.number(),
  manifestP99Ms: z.number(),
});
