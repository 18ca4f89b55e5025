/** What holds everywhere although two data centres were cut off from each other: likes, and the erasure of a user. */
import { beforeAll, describe, expect, test } from 'vitest';
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

    // One cut for the two tests below, as a heal takes half a minute. 40 users like one comment in each data centre while they do not hear of each
    // other, so that each keeps counts of its own; some take it back. A comment is in the second data centre alone when its author is erased in the
    // first.
    async function actWhileCut() {
      await using here = openIn(0);
      await using there = openIn(1);
      const nowMs = Date.now();
      const liked = commentBody({ stream: StreamId.parse('cut-likes'), atMs: nowMs }).id;
      const [author = UserId.parse('g-nobody')] = users(`erased-${nowMs.toString(36)}`, 1);
      const written = commentBody({ stream: StreamId.parse('cut-erased'), atMs: nowMs, author });
      const like = async ({ store }: typeof here, names: readonly UserId[], isOn = true): Promise<void> => {
        for (const user of names) await store.like(liked, user, isOn, Date.now());
      };
      await like(here, users('both', 10));
      started().between.cut();
      try {
        await like(here, users('here', 40));
        await like(there, users('there', 40));
        await like(there, users('both', 5), false);
        await there.store.add(written, { isHeld: false, nowMs });
        const inFirst = await here.store.get(written.id);
        const erased = await here.store.eraseUser(author, nowMs);
        const inSecond = await there.store.get(written.id);
        return { liked, written, inFirst, erased, inSecond };
      } finally {
        started().between.heal();
      }
    }

    let acted: Awaited<ReturnType<typeof actWhileCut>> | undefined;
    beforeAll(async () => {
      acted = await actWhileCut();
    });

    // Goal: the count is the set again, wherever it was counted last. Method: both data centres count anew.
    test('have all likes of both, and counts that are the set', async () => {
      await using here = openIn(0);
      await using there = openIn(1);
      const ids = acted === undefined ? [] : [acted.liked];
      const sum = (counts: ReadonlyMap<unknown, number>): number =>
        [...counts.values()].reduce((a, b) => a + b, 0);
      for (const { store } of [here, there]) {
        const recounted = async (): Promise<number> => sum(await store.recountLikes(ids));
        await waitFor('all likes are there', recounted, (count) => count === 85, healed);
      }
      const kept = async () => [sum(await here.store.likes(ids)), sum(await there.store.likes(ids))];
      await waitFor('both keep the count', kept, (counts) => counts.every((count) => count === 85), healed);
    });

    // Goal: no word of an erased user comes back out of a data centre that was cut off.
    test('have no word of a user who was erased meanwhile', async () => {
      await using here = openIn(0);
      if (acted === undefined) throw new Error('the two were not cut off');
      const { written, inFirst, erased, inSecond } = acted;
      expect({ inFirst, erased, inSecond }).toMatchObject({
        inFirst: undefined,
        erased: { comments: 1, streams: [written.streamId] },
        inSecond: { text: '', isErased: true },
      });
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
      const [gone = UserId.parse('g-nobody')] = users(`frozen-${Date.now().toString(36)}`, 1);
      const atMs = Date.now();
      const kept = commentBody({ stream: StreamId.parse('frozen-erased'), atMs, author: gone });
      await here.store.add(kept, { isHeld: false, nowMs: atMs });
      await second.freeze();
      try {
        await expect(here.store.eraseUser(gone, atMs)).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringContaining(`${second.name} of the database did not answer`),
        });
        expect(await here.store.get(kept.id)).toMatchObject({ text: '' });
      } finally {
        second.thaw();
      }
      await waitFor(
        'all is erased',
        () => here.store.eraseUser(gone, atMs),
        () => true,
        healed,
      );
    });
  });
}
