/** What the audience keeps when a data centre is killed, freezes, or comes back. It kills and freezes nodes, so it comes last. */
import { describe, expect, test } from 'vitest';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import type { CommentBody } from '../../actors/comments/store/comment-store.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { openTestDatabase, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { idsOf } from '../support/ports/stores/audience-subject.ts';
import { commentBody } from '../support/ports/stores/comment-bodies.ts';
import { waitFor, waitUntil } from '../support/wait.ts';

const healed = { withinMs: 100_000, everyMs: 500 };

export function faultTests(started: () => TestCassandra): void {
  describe('a data centre that fails', () => {
    /** A node of the first, or the second region. */
    const openIn = (own: 0 | 1) => {
      const database = openTestDatabase(started().settings(own));
      const store = openCassandraCommentStore(database, systemClock);
      const back: number[] = [];
      database.onBack((sinceMs) => back.push(sinceMs));
      return { store, back, [Symbol.asyncDispose]: () => database.close() };
    };

    /** Writes until it is told to stop, several at once. @returns those that were acknowledged, and how many were not */
    async function writeUntil(
      store: ReturnType<typeof openIn>['store'],
      stream: StreamId,
      signal: AbortSignal,
    ) {
      const acknowledged: CommentBody[] = [];
      let refused = 0;
      let number = 0;
      const write = async (): Promise<void> => {
        while (!signal.aborted) {
          number += 1;
          const nowMs = Date.now();
          const body = commentBody({ stream, atMs: nowMs, number });
          try {
            await store.add(body, { isHeld: false, nowMs });
            acknowledged.push(body);
          } catch {
            refused += 1;
          }
        }
      };
      await Promise.all(Array.from({ length: 4 }, write));
      return { acknowledged, refused };
    }

    // Goal: what was acknowledged is there, whatever dies. Method: a node of the first region writes while its data centre is killed; it
    // goes on with the other one; when the dead one is back, both are asked for every comment.
    test('killed while comments come in, loses none that was acknowledged, and has them all when it is back', async () => {
      const [first] = started().centres;
      await using here = openIn(0);
      await using there = openIn(1);
      const stream = StreamId.parse(`killed-${Date.now().toString(36)}`);
      const beganMs = Date.now();
      const stop = new AbortController();
      const writing = writeUntil(here.store, stream, stop.signal);
      await waitFor(
        'comments come in',
        () => here.store.newest(stream, 50),
        (rows) => rows.length === 50,
        healed,
      );
      await first.kill();
      const before = (await there.store.newest(stream, 1000)).length;
      await waitFor(
        'comments go on',
        () => there.store.newest(stream, 1000),
        (rows) => rows.length > before + 50,
        healed,
      );
      stop.abort();
      const { acknowledged } = await writing;
      await first.start();
      await waitUntil(
        'the node of the other data centre hears that it is back',
        () => there.back.length > 0,
        healed,
      );
      expect(there.back[0]).toBeLessThan(beganMs);
      for (const { store } of [here, there]) {
        const missing = async () => {
          const rows = await Promise.all(acknowledged.map(({ id }) => store.get(id)));
          return acknowledged.filter((_, index) => rows[index] === undefined).length;
        };
        const left = await waitFor(
          'every acknowledged comment is there',
          missing,
          (count) => count === 0,
          healed,
        );
        expect({ left }).toEqual({ left: 0 });
      }
    });

    // Goal: a data centre that neither answers nor closes its connections costs no more than the first requests. Method: SIGSTOP; writes
    // and reads go on by the other; SIGCONT; the own one is asked again.
    test('frozen, is passed over within seconds, and asked again when it answers', async () => {
      const [first] = started().centres;
      await using here = openIn(0);
      const stream = StreamId.parse(`frozen-${Date.now().toString(36)}`);
      const add = async (number: number) => {
        const nowMs = Date.now();
        return here.store.add(commentBody({ stream, atMs: nowMs, number }), { isHeld: false, nowMs });
      };
      await add(1);
      await first.freeze();
      try {
        const added = await waitFor(
          'a comment is taken',
          () => add(2),
          () => true,
          healed,
        );
        expect(added.comment.streamId).toBe(stream);
        // As it once was: the dead one had kept the minute to itself, and pages left out what the other one took.
        expect(idsOf(await here.store.newest(stream, 10))).toContain(added.comment.id);
      } finally {
        first.thaw();
      }
      const rows = await waitFor(
        'both are there',
        () => here.store.newest(stream, 10),
        (found) => found.length === 2,
        healed,
      );
      expect(rows).toHaveLength(2);
    });

    test('with all of them gone, callers are told so, and served again when one is back', async () => {
      const [first, second] = started().centres;
      await using here = openIn(0);
      const { id } = commentBody({ stream: StreamId.parse('gone'), atMs: Date.now() });
      await here.store.get(id);
      await first.freeze();
      await second.freeze();
      try {
        await expect(here.store.get(id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      } finally {
        first.thaw();
        second.thaw();
      }
      await waitFor(
        'it answers again',
        () => here.store.get(id),
        (found) => found === undefined,
        healed,
      );
    });
  });
}
