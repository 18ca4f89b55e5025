/** The port by which data centres are asked one by one: every implementation keeps these (A6). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReplicaReads } from '../../../../actors/comments/replication/replica-reads.ts';
import type { CommentBody } from '../../../../actors/comments/store/comment-store.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';
import { waitFor } from '../../wait.ts';
import { commentBody } from './comment-bodies.ts';

export interface ReplicaSubject extends AsyncDisposable {
  readonly reads: ReplicaReads;
  /** Both data centres get it, each in its own time. */
  add(body: CommentBody): Promise<void>;
  /** A row of a comment that has not come: a hide of it. */
  addHide(body: CommentBody): Promise<void>;
}

export function replicaContract(name: string, start: () => Promise<ReplicaSubject>): void {
  describe(`data centres that are asked one by one, ${name}`, () => {
    let opened: ReplicaSubject | undefined;
    beforeAll(async () => {
      opened = await start();
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());

    test('each says which comments of the stretch it has, and no others', async () => {
      if (opened === undefined) throw new Error('it is there once its tests run');
      const { reads, ...subject } = opened;
      const atMs = Math.floor(Date.now() / 60_000) * 60_000 - 30_000;
      const stream = StreamId.parse(`replicas-${Date.now().toString(36)}`);
      const body = (number: number, afterMs: number, of = stream) =>
        commentBody({ stream: of, number, atMs: atMs + afterMs });
      const wanted = [body(1, 0), body(2, 0), body(3, 4000)];
      const others = [body(4, -1), body(5, 4001), body(6, 2000, StreamId.parse(`${stream}-2`))];
      for (const one of [...others, ...wanted]) await subject.add(one);
      await subject.addHide(body(7, 1000));
      for (const dataCentre of reads.dataCentres) {
        const there = await waitFor(
          `${dataCentre} has them`,
          () => reads.there({ dataCentre, streamId: stream, fromMs: atMs, toMs: atMs + 4000 }),
          ({ size }) => size >= wanted.length,
        );
        expect({ dataCentre, there: [...there].toSorted() }).toEqual({
          dataCentre,
          there: wanted.map(({ id }) => id).toSorted(),
        });
      }
      expect({ centres: reads.dataCentres.length }).toEqual({ centres: 2 });
    });
  });
}
