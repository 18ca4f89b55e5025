/** The part of `bench comments` that reads: first pages from the ring and from the database, pages anywhere, threads and siblings. */
import type { AudienceStore } from '../../../actors/comments/store/audience-store.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import type { AudienceApi } from './audience-api.ts';
import { bigStream, type MadeStream } from './made-comments.ts';
import { takeTurns, type Turns } from './turns.ts';

const reads = 1000;
const readers = 4;
const pageSize = 50;

export interface PageTurns {
  /** Through the API: from the ring, and from the database. */
  readonly ring: Turns;
  readonly first: Turns;
  readonly anywhere: Turns;
  readonly thread: Turns;
  readonly siblings: Turns;
  /** Of the database without the API. */
  readonly storeFirst: Turns;
  readonly storeAnywhere: Turns;
  readonly storeThread: Turns;
  readonly storeSiblings: Turns;
}

export async function measurePages(
  api: AudienceApi,
  store: AudienceStore,
  { root, parent, beganMs, endMs }: MadeStream,
): Promise<PageTurns> {
  const stream = StreamId.parse(bigStream);
  /** Somewhere in the stream, each time elsewhere. */
  const placeOf = (index: number): number =>
    endMs - (((index * 7919) % reads) / reads) * 0.99 * (endMs - beganMs);
  const full = (comments: number): void => {
    if (comments !== pageSize) throw new Error(`a page of ${comments} comments`);
  };
  const turns = async (read: (index: number) => Promise<number>): Promise<Turns> => {
    const take = async (index: number): Promise<void> => full(await read(index));
    await takeTurns({ count: reads / 10, callers: readers }, take);
    return takeTurns({ count: reads, callers: readers }, take);
  };
  const pageOf = (query: string): Promise<number> =>
    api.page(`/v1/streams/${bigStream}/comments?limit=${pageSize}${query}`);
  const threadOf = (query: string): Promise<number> =>
    api.page(`/v1/comments/${root.id}/thread?limit=${pageSize}${query}`);
  const before = (ms: number): string => `&before=${new Date(ms).toISOString()}`;
  return {
    ring: await turns(() => pageOf('')),
    // What is asked for before a moment is read from the database, and nothing is later than this one.
    first: await turns(() => pageOf(before(Date.now()))),
    anywhere: await turns((index) => pageOf(before(placeOf(index)))),
    thread: await turns(() => threadOf('')),
    siblings: await turns(() => threadOf(`&parentId=${parent.id}`)),
    storeFirst: await turns(async () => (await store.newest(stream, pageSize)).length),
    storeAnywhere: await turns(
      async (index) => (await store.newest(stream, pageSize, { createdAtMs: placeOf(index) })).length,
    ),
    storeThread: await turns(
      async () => (await store.thread({ root: root.id, parent: undefined, limit: pageSize })).length,
    ),
    storeSiblings: await turns(
      async () => (await store.thread({ root: root.id, parent, limit: pageSize })).length,
    ),
  };
}
