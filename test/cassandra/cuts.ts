/** What holds everywhere although two data centres were cut off from each other: likes, and the erasure of a user. */
import { describe, expect, test } from 'vitest';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import { StreamId, UserId } from '../../cluster/model/ids.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { openTestDatabase, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { commentBody } from '../support/ports/stores/comment-bodies.ts';
import { waitFor } from '../support/wait.ts';

const healed = { withinMs: 100_000, everyMs: 500 };

export function cutTests(started: () => TestCassandra): void {
  describe('two data centres that were cut off from each other', () => {
    const openIn = (own: 0 | 1) => {
      const database = openTestDatabase(started().settings(own));
      const store = openCassandraCommentStore(database, systemClock);
      return { store, [Symbol.asyncDispose]: () => database.close() };
    };
    const users = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, index) => UserId.parse(`g-${prefix}-${index}`));

    // Goal: the count is the set again, wherever it was counted last. Method: 40 users like one comment in each data centre while they do not
    // hear of each other, so that each keeps counts of its own; some take it back; then both count anew.
    test('have all likes of both, and counts that are the set', async () => {
      await using here = openIn(0);
      await using there = openIn(1);
      const { id } = commentBody({ stream: StreamId.parse('cut-likes'), atMs: Date.now() });
      const like = async ({ store }: typeof here, names: readonly UserId[], isOn = true): Promise<void> => {
        for (const user of names) await store.like(id, user, isOn, Date.now());
      };
      await like(here, users('both', 10));
      started().between.cut();
      try {
        await like(here, users('here', 40));
        await like(there, users('there', 40));
        await like(there, users('both', 5), false);
      } finally {
        started().between.heal();
      }
      for (const { store } of [here, there]) {
        const recounted = async (): Promise<number | undefined> => (await store.recountLikes([id])).get(id);
        await waitFor('all likes are there', recounted, (count) => count === 85, healed);
      }
      const kept = async () => [
        (await here.store.likes([id])).get(id),
        (await there.store.likes([id])).get(id),
      ];
      await waitFor('both keep the count', kept, (counts) => counts.every((count) => count === 85), healed);
    });

    // Goal: no word of an erased user comes back out of a data centre that was cut off. Method: a comment is in the second data centre alone when
    // its author is erased in the first; then they hear of each other again.
    test('have no word of a user who was erased meanwhile', async () => {
      await using here = openIn(0);
      await using there = openIn(1);
      const [author = UserId.parse('g-nobody')] = users(`erased-${Date.now().toString(36)}`, 1);
      const nowMs = Date.now();
      const written = commentBody({ stream: StreamId.parse('cut-erased'), atMs: nowMs, author });
      started().between.cut();
      try {
        await there.store.add(written, { isHeld: false, nowMs });
        expect(await here.store.get(written.id)).toBeUndefined();
        expect(await here.store.eraseUser(author, nowMs)).toEqual({
          comments: 1,
          streams: [written.streamId],
        });
        expect(await there.store.get(written.id)).toMatchObject({ text: '', isErased: true });
      } finally {
        started().between.heal();
      }
      const arrived = await waitFor(
        'the comment is in the first one',
        () => here.store.get(written.id),
        (found) => found !== undefined,
        healed,
      );
      expect(arrived).toMatchObject({ text: '', isErased: true });
    });

    // Goal: nobody is told that all is erased where it is not. Method: the second data centre is frozen, then goes on.
    test('let no erasure be complete while one is away, and say which', async () => {
      const [, second] = started().centres;
      await using here = openIn(0);
      const [author = UserId.parse('g-nobody')] = users(`frozen-${Date.now().toString(36)}`, 1);
      const nowMs = Date.now();
      const written = commentBody({ stream: StreamId.parse('frozen-erased'), atMs: nowMs, author });
      await here.store.add(written, { isHeld: false, nowMs });
      second.freeze();
      try {
        await expect(here.store.eraseUser(author, nowMs)).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringContaining(`${second.name} of the database did not answer`),
        });
        expect(await here.store.get(written.id)).toMatchObject({ text: '' });
      } finally {
        second.thaw();
      }
      await waitFor(
        'all is erased',
        () => here.store.eraseUser(author, nowMs),
        () => true,
        healed,
      );
    });
  });
}
