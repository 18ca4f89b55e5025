/** The contract of `ThreadStore`, `LikeStore` and `ReactionStore`, for each of their implementations. */
import { describe, expect, test } from 'vitest';
import type { CommentBody } from '../../../../actors/comments/store/comment-store.ts';
import type { ThreadQuery } from '../../../../actors/comments/store/thread-store.ts';
import { ada, AudienceRig, ben, idsOf, type StartSubject } from './audience-subject.ts';
import { commentBody, type BodyShape } from './comment-bodies.ts';

const minuteMs = 60_000;

export function threadContract(name: string, start: StartSubject): void {
  describe(`threads in ${name}`, () => {
    const rig = new AudienceRig(start);
    const body = (shape: BodyShape = {}): CommentBody => rig.body(shape);

    /** Two answers to a root, two below each of them, and one below the first of those; in the order of the thread. */
    async function plantTree(): Promise<readonly [CommentBody, ...CommentBody[]]> {
      const root = body();
      const [a, b] = [body({ number: 1, to: root }), body({ number: 2, to: root })];
      const below = [
        body({ number: 6, to: a }),
        body({ number: 7, to: a }),
        body({ number: 3, to: b }),
        body({ number: 4, to: b }),
      ];
      const deepest = body({ number: 9, to: below[0] ?? a });
      const all = [root, a, b, ...below, deepest] as const;
      for (const comment of all.toReversed()) await rig.add(comment);
      return all;
    }

    test.each([1, 2, 3, 50])('pages of %i have a thread level by level, siblings together', async (limit) => {
      const [root, ...answers] = await plantTree();
      await rig.add(body({ number: 30 }));
      expect(idsOf(await pagedThread({ root: root.id, limit }))).toEqual(idsOf(answers));
    });

    test.each([1, 50])('pages of %i have the siblings below one answer alone', async (limit) => {
      const [root, a, b, ...below] = await plantTree();
      const siblings = (parent: CommentBody) => pagedThread({ root: root.id, parent, limit });
      expect(idsOf(await siblings(root))).toEqual(idsOf([a, b].filter((one) => one !== undefined)));
      expect(idsOf(await siblings(a ?? root))).toEqual(idsOf(below.slice(0, 2)));
      expect(idsOf(await siblings(b ?? root))).toEqual(idsOf(below.slice(2, 4)));
    });

    /** Page after page, from the last of each on. */
    async function pagedThread(query: ThreadQuery): Promise<readonly CommentBody[]> {
      const all: CommentBody[] = [];
      for (let pages = 0; pages < 50; pages += 1) {
        const next = await rig.other.thread({ ...query, after: all.at(-1) });
        expect(next.length).toBeLessThanOrEqual(query.limit);
        if (next.length === 0) return all;
        all.push(...next);
      }
      throw new Error('pages without an end');
    }

    // Goal: a chain of answers has an end. Method: 12 levels; from the eighth on all hang beside each other, with their true parents.
    test('what answers below the eighth level hangs at the eighth, with its true parent', async () => {
      const chain = [body()];
      for (let number = 1; number <= 12; number += 1)
        chain.push(body({ number, to: chain.at(-1) ?? body() }));
      for (const comment of chain) await rig.add(comment);
      const [root, ...answers] = chain;
      const thread = await rig.store.thread({ root: (root ?? body()).id, limit: 50 });
      expect(idsOf(thread)).toEqual(idsOf(answers));
      expect(thread.map(({ path }) => path.length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]);
      expect(thread.map(({ parentId }) => parentId)).toEqual(idsOf(chain.slice(0, -1)));
    });

    test('counts the answers below each at any depth, once for each, those alone that are shown', async () => {
      const [root, a, b, first] = await plantTree();
      await rig.add(root);
      await rig.add(a ?? root);
      const held = body({ number: 40, to: root });
      await rig.store.add(held, { isHeld: true, nowMs: rig.nowMs });
      const ids = [root, a, b, first, held].map((one) => (one ?? root).id);
      const counted = async () => Object.fromEntries(await rig.other.replies(ids));
      const [rootId = '', aId = '', bId = '', firstId = ''] = ids;
      expect(await counted()).toEqual({ [rootId]: 7, [aId]: 3, [bId]: 2, [firstId]: 1 });
      await rig.store.setHidden((first ?? root).id, { by: ada, atMs: rig.nowMs }, rig.nowMs);
      await rig.store.release(held.id, rig.nowMs + 1);
      expect(await counted()).toEqual({ [rootId]: 7, [aId]: 2, [bId]: 2, [firstId]: 1 });
      await rig.store.setHidden((first ?? root).id, undefined, rig.nowMs + 2);
      expect(await counted()).toEqual({ [rootId]: 8, [aId]: 3, [bId]: 2, [firstId]: 1 });
    });

    test('a thread of nothing is empty', async () => {
      expect(await rig.store.thread({ root: body().id, limit: 10 })).toEqual([]);
      expect(await rig.store.replies([body().id])).toEqual(new Map());
      expect(await rig.store.replies([])).toEqual(new Map());
    });
  });

  describe(`likes in ${name}`, () => {
    const rig = new AudienceRig(start);

    test('a like counts once for each user, however often it comes', async () => {
      const { id } = await rig.add(rig.body());
      for (const [store, user] of [
        [rig.store, ada],
        [rig.other, ada],
        [rig.store, ben],
      ] as const)
        await store.like(id, user, true, rig.nowMs);
      expect(await rig.other.likes([id, rig.body({ number: 5 }).id])).toEqual(new Map([[id, 2]]));
      expect(await rig.store.likedBy(ada, rig.stream, [id, rig.body({ number: 5 }).id])).toEqual(
        new Set([id]),
      );
    });

    // Goal: two devices of one user end up with one result. Method: the same writes in both orders.
    test.each([
      ['earlier', -5, 1],
      ['at the same time', 0, 0],
      ['later', 5, 0],
    ])('a like that is taken back %s has one result in either order', async (_, afterMs, likes) => {
      const results: unknown[] = [];
      for (const number of [0, 1]) {
        const { id } = rig.body({ number });
        const acts = [
          () => rig.store.like(id, ada, true, rig.nowMs),
          () => rig.other.like(id, ada, false, rig.nowMs + afterMs),
        ];
        for (const act of number === 0 ? acts : acts.toReversed()) await act();
        results.push((await rig.store.likes([id])).get(id) ?? 0);
      }
      expect({ results }).toEqual({ results: [likes, likes] });
      const liked = await rig.store.likedBy(ada, rig.stream, [rig.body().id]);
      expect(liked.size).toBe(likes);
    });

    test('nobody likes what nobody liked', async () => {
      expect(await rig.store.likes([rig.body().id])).toEqual(new Map());
      expect(await rig.store.likes([])).toEqual(new Map());
      expect(await rig.store.likedBy(ada, rig.stream, [])).toEqual(new Set());
    });
  });

  describe(`reactions in ${name}`, () => {
    const rig = new AudienceRig(start);
    const minute = Math.floor(Date.now() / minuteMs) * minuteMs;

    // Goal: no count grows by a retry. Method: two sources tell their counts again and again, one of them late.
    test('minutes have the highest count of each source, all sources together', async () => {
      const { store, other, stream } = rig;
      await store.keepReactions(stream, 'n1-a', { minuteMs: minute, counts: { heart: 5, clap: 1 } });
      await store.keepReactions(stream, 'n1-a', { minuteMs: minute, counts: { heart: 9, clap: 1 } });
      await other.keepReactions(stream, 'n1-a', { minuteMs: minute, counts: { heart: 5 } });
      await other.keepReactions(stream, 'n2-b', { minuteMs: minute, counts: { heart: 2 } });
      await store.keepReactions(stream, 'n1-a', { minuteMs: minute + minuteMs, counts: { wow: 3 } });
      expect(await store.reactions(stream, minute, minute + 2 * minuteMs)).toEqual([
        { minuteMs: minute, counts: { heart: 11, clap: 1 } },
        { minuteMs: minute + minuteMs, counts: { wow: 3 } },
      ]);
      expect(await store.reactions(stream, minute, minute + minuteMs)).toHaveLength(1);
      expect(await store.reactions(commentBody().streamId, minute, minute + minuteMs)).toEqual([]);
    });
  });
}
