/**
 * Benchmark of the comments: writes through the API against the bare driver doing the same statements, and pages of a stream of 200,000
 * comments and of a thread of 20,000 answers with 5,000 siblings. Targets: throughput >= 0.7 and p99 <= 2 times those of the bare driver; p99 of
 * the first pages <= 50 ms, and <= 20 ms from the ring.
 *
 * One real node, with all that a node does, serves 64 callers, of whom each asks again when it is answered: guests with tokens, addresses
 * and texts of their own, so that every guard is passed and none refuses. The bare driver has the same tables, rows, statements and
 * durability: bare-driver.ts. The product's own database without the API is told beside it. Turns are interleaved, figures are medians of the rounds, and
 * ratios medians of their ratios, as other work on the machine costs whichever side has its turn. The load runs in this process, on the same
 * two cores, and so does Cassandra.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { startDemoCluster, type DemoCluster } from '../../demo/demo-cluster.ts';
import { AudienceApi, type Author } from './audience-api.ts';
import { bigStream, madeComment, madeStream, textOf } from './made-comments.ts';
import { measurePages, type PageTurns } from './pages.ts';
import { openTested, type DatabaseName, type TestedDatabase } from './tested-database.ts';
import { median, medianTurns, takeTurns, type Turns } from './turns.ts';

const callers = 64;
const rounds = 5;
/** Each says one thing on each stream, and a stream takes 2,000 a second. A turn lasts some seconds. */
const authorsOf: Readonly<Record<DatabaseName, number>> = { sqlite: 2000, cassandra: 500 };
const streamsOfRound = 4;
const cassandraReadyMs = 120_000;

export const commentTargets = { throughput: 0.7, p99: 2, pageMs: 50, ringMs: 20 } as const;

export interface CommentsBenchOptions {
  /** By default sqlite. */
  readonly database?: DatabaseName | undefined;
  readonly progress: (line: string) => void;
}

interface WriteTurns {
  readonly api: Turns;
  readonly driver: Turns;
  readonly store: Turns;
  /** Of the API's by the bare driver's. */
  readonly throughput: number;
  readonly p99: number;
}

const sides = ['api', 'driver', 'store'] as const;
type Side = (typeof sides)[number];
type Round = Readonly<Record<Side, Turns>>;

export interface CommentsCase {
  /** The database. */
  readonly name: string;
  readonly callers: number;
  readonly writes: WriteTurns;
  readonly pages: PageTurns;
  readonly isReached: boolean;
}

export interface CommentsBenchResult {
  readonly cases: readonly CommentsCase[];
  readonly isReached: boolean;
}

export async function benchComments({
  database = 'sqlite',
  progress,
}: CommentsBenchOptions): Promise<CommentsBenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-comments-'));
  try {
    await using cluster = await startDemoCluster({
      regions: 1,
      nodes: 1,
      hasPublisher: false,
      store: 'disk',
      comments: database,
      readyWithinMs: cassandraReadyMs,
      dataDir,
      portBase: 0,
      rtmpBase: 0,
      env: { TANGAZA_TRUSTED_PROXIES: '127.0.0.1', TANGAZA_LOG_LEVEL: 'warn' },
      onProgress: progress,
    });
    const measured = await measure(cluster, database, progress);
    return { cases: [measured], isReached: measured.isReached };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  { nodes: [node], regions: [region], token }: DemoCluster,
  database: DatabaseName,
  progress: (line: string) => void,
): Promise<CommentsCase> {
  if (node === undefined || region === undefined) throw new Error('the demo cluster has no node');
  using api = new AudienceApi(node.url, callers);
  await using tested = await openTested(database, region);
  await api.createStream(bigStream, token);
  const made = madeStream(Date.now());
  await tested.fill(made.comments);
  progress(`${made.comments.length} comments and answers are there`);
  const written = await measureWrites({ api, tested, token, progress });
  const pages = await measurePages(api, tested.store, made);
  return { name: tested.title, callers, writes: written, pages, isReached: isReached(written, pages) };
}

function isReached({ throughput, p99 }: WriteTurns, { ring, first, thread, siblings }: PageTurns): boolean {
  return (
    throughput >= commentTargets.throughput &&
    p99 <= commentTargets.p99 &&
    ring.p99Ms <= commentTargets.ringMs &&
    [first, thread, siblings].every(({ p99Ms }) => p99Ms <= commentTargets.pageMs)
  );
}

interface Writing {
  readonly api: AudienceApi;
  readonly tested: TestedDatabase;
  readonly token: string;
  readonly progress: (line: string) => void;
}

async function measureWrites({ api, tested, token, progress }: Writing): Promise<WriteTurns> {
  const authors = authorsOf[tested.name];
  const crowd: Author[] = [];
  await takeTurns({ count: authors, callers: 8 }, async (index) => {
    crowd.push(await api.createAuthor(index));
  });
  await using driver = await tested.openBare();
  const all: Round[] = [];
  const turn = { count: authors * streamsOfRound, callers };
  // The first round warms up and counts nowhere.
  for (let round = 0; round <= rounds; round += 1) {
    const streamOf = (index: number): string => `bench-${round}-${Math.floor(index / authors)}`;
    for (let index = 0; index < turn.count; index += authors) await api.createStream(streamOf(index), token);
    const bodyOf = (index: number): CommentBody =>
      madeComment({ stream: streamOf(index), number: index, createdAtMs: Date.now() });
    const turns = await inTurn(round, {
      api: () =>
        takeTurns(turn, async (index) => {
          const author = crowd[index % crowd.length];
          if (author !== undefined) await api.post(author, streamOf(index), textOf(index));
        }),
      driver: () => takeTurns(turn, (index) => driver.add(bodyOf(index))),
      store: () =>
        takeTurns(turn, async (index) => {
          await tested.store.add(bodyOf(index), { isHeld: false, nowMs: Date.now() });
        }),
    });
    progress(`${round === 0 ? 'warmed up' : `round ${round}`}: ${lineOf(turns)}`);
    if (round > 0) all.push(turns);
  }
  return writeTurns(all);
}

/** Another one is first in each round: who comes after the others finds a warm database, or one that still tidies up. */
async function inTurn(round: number, turns: Readonly<Record<Side, () => Promise<Turns>>>): Promise<Round> {
  const done = new Map<Side, Turns>();
  for (let place = 0; place < sides.length; place += 1) {
    const side = sides[(round + place) % sides.length] ?? 'api';
    done.set(side, await turns[side]());
  }
  const of = (side: Side): Turns => done.get(side) ?? { perSecond: NaN, p50Ms: NaN, p99Ms: NaN };
  return { api: of('api'), driver: of('driver'), store: of('store') };
}

function writeTurns(all: readonly Round[]): WriteTurns {
  const of = (side: Side): Turns => medianTurns(all.map((round) => round[side]));
  const ratio = (figure: 'perSecond' | 'p99Ms'): number =>
    median(all.map(({ api, driver }) => api[figure] / driver[figure]));
  return {
    api: of('api'),
    driver: of('driver'),
    store: of('store'),
    throughput: ratio('perSecond'),
    p99: ratio('p99Ms'),
  };
}

const lineOf = (turns: Round): string =>
  Object.entries(turns)
    .map(([side, { perSecond, p99Ms }]) => `${side} ${perSecond.toFixed(0)}/s, p99 ${p99Ms.toFixed(1)} ms`)
    .join('; ');
