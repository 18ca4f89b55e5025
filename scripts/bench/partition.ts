/**
 * Benchmark of the partitioner: look-ups per second, and which keys move when a node joins. It is compared with a ring of virtual nodes
 * (`hashring`) and with Moleculer's own Shard strategy, at 12, 100 and 1,000 nodes. Target: no key moves between two nodes that were there
 * before.
 *
 * Each partitioner answers for the same keys before and after one node joins. Every key is asked for once, so that no cache answers. The
 * newcomer needs its share of the keys, 1 of N + 1. Any other move moves a stream for nothing. The speed, in CPU time, is the median of
 * five passes, each with its own keys. It is reported and not judged: ours draws for every node and keeps no table, and is asked only when
 * a stream or a viewer begins, and every few seconds for a viewer.
 */
import HashRing from 'hashring';
import { ServiceBroker, Strategies } from 'moleculer';
import { head } from '../../cluster/partition/rendezvous.ts';
import type { Figure } from './kept-runs.ts';

const sizes = [12, 100, 1000] as const;
const keyCount = 10_000;
const passes = 5;

export interface PartitionRow {
  readonly nodes: number;
  readonly partitioner: string;
  /** Per second of CPU time. */
  readonly lookupsPerSecond: number;
  /** The share of all keys that move when one node joins. */
  readonly movedPercent: number;
  /** The share that a perfect partitioner moves. */
  readonly neededPercent: number;
  /** The share of keys that moved between two nodes that were there before. */
  readonly movedForNothing: number;
}

export interface PartitionBenchResult {
  readonly keys: number;
  readonly rows: readonly PartitionRow[];
  readonly isReached: boolean;
}

interface Partitioner {
  readonly name: string;
  /** @returns a function that says who holds a key among these nodes */
  readonly of: (nodes: readonly string[]) => (key: string) => string;
}

const ours: Partitioner = {
  name: 'tangaza (weighted rendezvous)',
  of: (nodes) => {
    const members = nodes.map((id) => ({ id, weight: 1 }));
    return (key) => head(key, members, 1)[0]?.id ?? '';
  },
};

const partitioners: readonly Partitioner[] = [
  ours,
  {
    name: 'hashring (ketama)',
    of: (nodes) => {
      const ring = new HashRing([...nodes]);
      return (key) => ring.get(key);
    },
  },
  { name: "moleculer's Shard", of: shard },
];

/** The class itself, on a broker that is never started. Its declarations lack the methods used here. */
function shard(nodes: readonly string[]): (key: string) => string {
  const broker = new ServiceBroker({ logger: false });
  const strategy = new Strategies.Shard(broker.registry, broker, { shardKey: 'key', cacheSize: 1 });
  call(strategy, 'rebuild', [nodes.map((id) => ({ id }))]);
  return (key) => String(call(strategy, 'getNodeIDByKey', [key]));
}

function call(target: object, method: string, args: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(target, method);
  if (typeof found !== 'function') throw new Error(`Moleculer's Shard has no ${method}`);
  return Reflect.apply(found, target, args);
}

export async function benchPartition(
  progress: (line: string) => void = () => {},
): Promise<PartitionBenchResult> {
  const rows = sizes.flatMap((nodes) => {
    progress(`${nodes} nodes`);
    return partitioners.map((partitioner) => measure(partitioner, nodes));
  });
  const isReached = rows.every((row) => row.partitioner !== ours.name || row.movedForNothing === 0);
  const result = { keys: keyCount, rows, isReached };
  return result;
}

function measure({ name, of }: Partitioner, nodes: number): PartitionRow {
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  const keys = keysOf('stream');
  const find = of(names);
  const speeds = Array.from({ length: passes }, (_, pass) => speedOf(find, keysOf(`pass-${pass}`)));
  const before = keys.map(find);
  const newcomer = `node-${nodes + 1}`;
  const after = keys.map(of([...names, newcomer]));
  const moved = after.filter((node, index) => node !== before[index]);
  return {
    nodes,
    partitioner: name,
    lookupsPerSecond: Math.round(speeds.toSorted((a, b) => a - b)[Math.floor(passes / 2)] ?? 0),
    movedPercent: (100 * moved.length) / keyCount,
    neededPercent: 100 / (nodes + 1),
    movedForNothing: moved.filter((node) => node !== newcomer).length,
  };
}

function keysOf(prefix: string): readonly string[] {
  return Array.from({ length: keyCount }, (_, index) => `${prefix}-${index}`);
}

/** Look-ups per second of CPU time, which other work on the machine affects less than wall time. */
function speedOf(find: (key: string) => string, keys: readonly string[]): number {
  const start = process.cpuUsage();
  for (const key of keys) find(key);
  const { user, system } = process.cpuUsage(start);
  return keys.length / ((user + system) / 1e6);
}

export function partitionReport({ keys, rows, isReached }: PartitionBenchResult): string {
  const lines = rows.map(
    (row) =>
      `| ${row.nodes} | ${row.partitioner} | ${row.lookupsPerSecond.toLocaleString('en')} | ${row.movedPercent.toFixed(2)} % | ${row.neededPercent.toFixed(2)} % | ${row.movedForNothing} |`,
  );
  return [
    '## bench partition',
    '',
    `**Of ${keys.toLocaleString('en')} keys, ours moves none between two nodes that stay: ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    '| nodes | partitioner | look-ups per CPU second | moved when one joins | needed | moved for nothing |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

export function partitionFigures({ rows, keys }: PartitionBenchResult): readonly Figure[] {
  const moved = rows.map(({ nodes, partitioner, movedForNothing }) => ({
    what: `of ${keys} keys, moved for nothing when a node joins ${nodes}: ${partitioner}`,
    value: movedForNothing,
    unit: '',
    ...(partitioner === ours.name ? { target: '0' } : {}),
  }));
  const lookUps = rows.map(({ nodes, partitioner, lookupsPerSecond }) => ({
    what: `look-ups in a second of CPU time, ${nodes} nodes: ${partitioner}`,
    value: lookupsPerSecond,
    unit: '',
  }));
  return [...moved, ...lookUps];
}
