/**
 * Benchmark of the comments on SQLite: writes through the API against the bare driver doing the same statements, and pages of a stream
 * of 200,000 comments and of a thread of 20,000 answers with 5,000 siblings. Targets: throughput >= 0.7 and p99 <= 2 times those of the bare driver; p99 of
 * the first pages <= 50 ms.
 *
 * One real node, with all that a node does, serves 64 callers, of whom each asks again when it is answered: guests with tokens, addresses
 * and texts of their own, so that every guard is passed and none refuses. The bare driver is node:sqlite with the same tables, statements and durability, a
 * transaction for each comment. The product's own database without the API, which commits all that waits at once, is told
 * beside it. Turns are interleaved, figures are medians of the rounds. The load runs in this process, on the same two cores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AudienceStore } from '../../../actors/comments/store/audience-store.ts';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startDemoCluster, type DemoCluster } from '../../demo/demo-cluster.ts';
import { AudienceApi, type Author } from './audience-api.ts';
import { openBareDriver } from './bare-driver.ts';
import { madeComment, textOf } from './made-comments.ts';
import { medianTurns, takeTurns, type Turns } from './turns.ts';

const callers = 64;
const rounds = 3;
/** An author may say five things in a row on a stream, and a stream takes 2,000 a second. */
const authors = 1000;
const perAuthor = 4;
const writes = authors * perAuthor;
const reads = 1000;
const readers = 4;
const pageSize = 50;
const big = 'bench-200000';
const filled = { comments: 200_000, answers: 20_000, siblings: 5000 } as const;

export const commentTargets = { throughput: 0.7, p99: 2, pageMs: 50 } as const;

export interface CommentsBenchResult {
  readonly callers: number;
  readonly writes: { readonly api: Turns; readonly driver: Turns; readonly store: Turns };
  readonly pages: {
    readonly first: Turns;
    readonly anywhere: Turns;
    readonly storeFirst: Turns;
    readonly storeAnywhere: Turns;
  };
  readonly threads: {
    readonly first: Turns;
    readonly siblings: Turns;
    readonly storeFirst: Turns;
    readonly storeSiblings: Turns;
  };
  readonly isReached: boolean;
}

export async function benchComments(progress: (line: string) => void): Promise<CommentsBenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-comments-'));
  try {
    await using cluster = await startDemoCluster({
      regions: 1,
      nodes: 1,
      hasPublisher: false,
      store: 'disk',
      dataDir,
      portBase: 0,
      rtmpBase: 0,
      env: { TANGAZA_TRUSTED_PROXIES: '127.0.0.1', TANGAZA_LOG_LEVEL: 'warn' },
    });
    return await measure(cluster, join(dataDir, 'bare.sqlite'), progress);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  { nodes: [node], regions: [region], token }: DemoCluster,
  bareFile: string,
  progress: (line: string) => void,
): Promise<CommentsBenchResult> {
  if (node === undefined || region === undefined) throw new Error('the demo cluster has no node');
  using api = new AudienceApi(node.url, callers);
  const store = await openStore(join(region.dataDir, 'comments.sqlite'));
  try {
    progress(`${filled.comments} comments, ${filled.answers} answers`);
    await api.createStream(big, token);
    const thread = await fill(store);
    const written = await measureWrites({ api, store, token, bareFile, progress });
    const pages = await measurePages(api, store, progress);
    const threads = await measureThreads(api, store, thread);
    return { callers, writes: written, pages, threads, isReached: isReached(written, pages.first, threads) };
  } finally {
    await store.close();
  }
}

function isReached(
  { api, driver }: CommentsBenchResult['writes'],
  first: Turns,
  threads: CommentsBenchResult['threads'],
): boolean {
  return (
    api.perSecond >= commentTargets.throughput * driver.perSecond &&
    api.p99Ms <= commentTargets.p99 * driver.p99Ms &&
    [first, threads.first, threads.siblings].every(({ p99Ms }) => p99Ms <= commentTargets.pageMs)
  );
}

const openStore = (file: string): Promise<AudienceStore> =>
  openSqliteCommentStore({ file, clock: systemClock, metrics: noMetrics, logger: silentLogger });

interface Thread {
  readonly root: CommentBody;
  /** It has the siblings below it. */
  readonly parent: CommentBody;
}

/** Ten comments a second up to now; the oldest one has a thread. */
async function fill(store: AudienceStore): Promise<Thread> {
  const nowMs = Date.now();
  const add = async (body: CommentBody): Promise<void> => {
    await store.add(body, { isHeld: false, nowMs });
  };
  const atMs = (number: number): number => nowMs - 100 * (filled.comments - number);
  const made = (number: number, parent?: CommentBody): CommentBody =>
    madeComment({
      stream: big,
      number,
      createdAtMs: atMs(number),
      ...(parent === undefined ? {} : { parent }),
    });
  const root = made(0);
  const parent = made(1, root);
  const levels = [root];
  await add(root);
  await add(parent);
  await takeTurns({ count: filled.comments, callers: 2000 }, (index) => add(made(index)));
  await takeTurns({ count: filled.siblings, callers: 2000 }, (index) => add(made(index + 2, parent)));
  await takeTurns({ count: filled.answers - filled.siblings, callers: 2000 }, async (index) => {
    const above = levels[index % levels.length] ?? root;
    const answer = made(index + 10_000, above);
    if (answer.path.length < 8 && levels.length < 1000) levels.push(answer);
    await add(answer);
  });
  return { root, parent };
}

interface Writing {
  readonly api: AudienceApi;
  readonly store: AudienceStore;
  readonly token: string;
  readonly bareFile: string;
  readonly progress: (line: string) => void;
}

async function measureWrites({
  api,
  store,
  token,
  bareFile,
  progress,
}: Writing): Promise<CommentsBenchResult['writes']> {
  const crowd: Author[] = [];
  await takeTurns({ count: authors, callers: 8 }, async (index) => {
    crowd.push(await api.createAuthor(index));
  });
  using driver = openBareDriver(bareFile);
  const all: Record<'api' | 'driver' | 'store', Turns[]> = { api: [], driver: [], store: [] };
  // The first round warms up and counts nowhere.
  for (let round = 0; round <= rounds; round += 1) {
    const streams = [`bench-${round}-a`, `bench-${round}-b`] as const;
    for (const stream of streams) await api.createStream(stream, token);
    const streamOf = (index: number): string => streams[index % 2] ?? streams[0];
    const bodyOf = (index: number): CommentBody =>
      madeComment({ stream: streamOf(index), number: index, createdAtMs: Date.now() });
    const turns = {
      api: await takeTurns({ count: writes, callers }, async (index) => {
        const author = crowd[index % crowd.length];
        if (author !== undefined)
          await api.post(author, streamOf(Math.floor(index / authors)), textOf(index));
      }),
      driver: await takeTurns({ count: writes, callers }, (index) => driver.add(bodyOf(index))),
      store: await takeTurns({ count: writes, callers }, async (index) => {
        await store.add(bodyOf(index), { isHeld: false, nowMs: Date.now() });
      }),
    };
    if (round === 0) continue;
    for (const side of ['api', 'driver', 'store'] as const) all[side].push(turns[side]);
    progress(
      `round ${round}: ${Object.entries(turns)
        .map(
          ([side, { perSecond, p99Ms }]) => `${side} ${perSecond.toFixed(0)}/s, p99 ${p99Ms.toFixed(1)} ms`,
        )
        .join('; ')}`,
    );
  }
  return { api: medianTurns(all.api), driver: medianTurns(all.driver), store: medianTurns(all.store) };
}

async function measurePages(
  api: AudienceApi,
  store: AudienceStore,
  progress: (line: string) => void,
): Promise<CommentsBenchResult['pages']> {
  const stream = StreamId.parse(big);
  const turns = { count: reads, callers: readers };
  const endMs = Date.now();
  /** Somewhere in the stream, each time elsewhere. */
  const before = (index: number): number =>
    endMs - ((index * 7919) % reads) * 100 * (filled.comments / reads) * 0.99;
  const full = (comments: number): void => {
    if (comments !== pageSize) throw new Error(`a page of ${comments} comments`);
  };
  const apiPages = (query: (index: number) => string): Promise<Turns> =>
    takeTurns(turns, async (index) =>
      full(await api.page(`/v1/streams/${big}/comments?limit=${pageSize}${query(index)}`)),
    );
  const storePages = (place: (index: number) => number | undefined): Promise<Turns> =>
    takeTurns(turns, async (index) => {
      const createdAtMs = place(index);
      const at = createdAtMs === undefined ? undefined : { createdAtMs };
      full((await store.newest(stream, pageSize, at)).length);
    });
  await apiPages(() => '');
  const result = {
    first: await apiPages(() => ''),
    storeFirst: await storePages(() => undefined),
    anywhere: await apiPages((index) => `&before=${new Date(before(index)).toISOString()}`),
    storeAnywhere: await storePages(before),
  };
  progress(`first page p99 ${result.first.p99Ms.toFixed(1)} ms`);
  return result;
}

async function measureThreads(
  api: AudienceApi,
  store: AudienceStore,
  { root, parent }: Thread,
): Promise<CommentsBenchResult['threads']> {
  const turns = { count: reads, callers: readers };
  const full = (answers: number): void => {
    if (answers !== pageSize) throw new Error(`a page of ${answers} answers`);
  };
  const apiPage = (query = ''): Promise<Turns> =>
    takeTurns(turns, async () =>
      full(await api.page(`/v1/comments/${root.id}/thread?limit=${pageSize}${query}`)),
    );
  const storePage = (below?: CommentBody): Promise<Turns> =>
    takeTurns(turns, async () =>
      full((await store.thread({ root: root.id, parent: below, limit: pageSize })).length),
    );
  await apiPage();
  return {
    first: await apiPage(),
    storeFirst: await storePage(),
    siblings: await apiPage(`&parentId=${parent.id}`),
    storeSiblings: await storePage(parent),
  };
}
