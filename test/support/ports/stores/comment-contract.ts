/**
 * The contract of `CommentStore`, for each of its implementations.
 *
 * A test has a stream of its own, so that a database that is slow to make may be one for all tests. Times are around the present, since a
 * database may refuse others.
 */
import { describe, expect, test } from 'vitest';
import type { AudienceStore } from '../../../../actors/comments/store/audience-store.ts';
import type { CommentBody, StoredComment } from '../../../../actors/comments/store/comment-store.ts';
import { CommentId, StreamId } from '../../../../cluster/model/ids.ts';
import { ada, AudienceRig, idsOf, type StartSubject } from './audience-subject.ts';
import { commentBody, type BodyShape } from './comment-bodies.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });

export function commentContract(name: string, start: StartSubject): void {
  describe(`comments in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;
    const body = (shape: BodyShape = {}): CommentBody => rig.body(shape);
    const add = (...args: Parameters<AudienceRig['add']>) => rig.add(...args);
    const hiding = (atMs: number, reason?: string) => ({ by: ada, atMs, reason });

    test('gives back what was added, at once and at both openings', async () => {
      const { store, other } = rig;
      const comment = body({ mediaTime: 12.5 });
      const added = await store.add(comment, { isHeld: false, nowMs });
      expect(added).toMatchObject({ isNew: true, comment: { ...comment, isHeld: false } });
      expect(added.comment.hidden).toBeUndefined();
      expect(await store.get(comment.id)).toEqual(added.comment);
      expect(await other.get(comment.id)).toEqual(added.comment);
    });

    test('knows no comment that nobody added', async () => {
      const { store, stream } = rig;
      expect(await store.get(body().id)).toBeUndefined();
      expect(await store.newest(stream, 10)).toEqual([]);
      expect(await store.following(stream, 10, { createdAtMs: 0 })).toEqual([]);
      expect(await store.arrivedSince(stream, 0, 10)).toEqual([]);
      expect(await store.mode(stream)).toBeUndefined();
    });

    test('keeps a comment held, and who is staff', async () => {
      const { store, other } = rig;
      const comment = { ...body(), author: { id: ada, name: 'Ada', isStaff: true } };
      await store.add(comment, { isHeld: true, nowMs });
      expect(await other.get(comment.id)).toMatchObject({ isHeld: true, author: { isStaff: true } });
    });

    test('keeps an answer with its parent, its root and its path', async () => {
      const { store } = rig;
      const root = body();
      const answer = body({ number: 1, to: root });
      const deeper = body({ number: 2, to: answer });
      for (const comment of [root, answer, deeper]) await add(comment);
      expect(await store.get(deeper.id)).toMatchObject({
        parentId: answer.id,
        rootId: root.id,
        path: [root.id, answer.id],
      });
    });

    test('is asked the same twice and has it once, from either opening', async () => {
      const { store, other, stream } = rig;
      const comment = body();
      const first = await store.add(comment, { isHeld: false, nowMs });
      const again = await other.add(comment, { isHeld: true, nowMs: nowMs + 50 });
      expect(again).toEqual({ isNew: false, comment: first.comment });
      expect(idsOf(await store.newest(stream, 10))).toEqual([comment.id]);
    });

    test('has one of twenty equal comments that come at once', async () => {
      const { store, other, stream } = rig;
      const comment = body();
      const added = await Promise.all(
        Array.from({ length: 20 }, (_, turn) =>
          (turn % 2 === 0 ? store : other).add(comment, { isHeld: false, nowMs }),
        ),
      );
      expect(idsOf(await store.newest(stream, 10))).toEqual([comment.id]);
      expect(new Set(idsOf(added.map((one) => one.comment)))).toEqual(new Set([comment.id]));
    });

    test.each([
      ['text', { text: 'something else' }],
      ['media time', { mediaTime: 3 }],
      ['parent', { to: commentBody({ atMs: 7 }) }],
    ])('refuses another %s under the same id, and keeps the first', async (_, shape) => {
      const { store, other } = rig;
      const first = await add(body());
      await expect(other.add(body(shape), { isHeld: false, nowMs })).rejects.toThrow(code('CONFLICT'));
      expect(await store.get(first.id)).toEqual(first);
    });

    test('a refused comment costs nobody who comments at the same moment', async () => {
      const { store, stream } = rig;
      await add(body());
      const outcomes = await Promise.allSettled([
        add(body({ number: 1 })),
        add(body({ text: 'something else' })),
        add(body({ number: 2 })),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await store.newest(stream, 10)).toHaveLength(3);
    });

    // Goal: no page leaves out or doubles a comment where several have one time. Method: three of each of four milliseconds, paged by
    // every size, both ways, from the id of the last.
    test.each([1, 2, 3, 5, 12, 50])(
      'pages of %i both ways have each comment once, in order',
      async (limit) => {
        const { store, stream } = rig;
        const all = [0, 1, 2, 3].flatMap((ms) =>
          [0, 1, 2].map((number) => body({ atMs: nowMs + ms, number })),
        );
        for (const comment of all.toReversed()) await add(comment);
        const down = await paged((last) => store.newest(stream, limit, last), limit);
        expect(idsOf(down)).toEqual(idsOf(all.toReversed()));
        const up = await paged((last) => store.following(stream, limit, last ?? { createdAtMs: 0 }), limit);
        expect(idsOf(up)).toEqual(idsOf(all));
      },
    );

    /** Page after page, from the last of each on. */
    async function paged(
      page: (last?: StoredComment) => Promise<readonly StoredComment[]>,
      limit: number,
    ): Promise<readonly StoredComment[]> {
      const all: StoredComment[] = [];
      for (let pages = 0; pages < 100; pages += 1) {
        const next = await page(all.at(-1));
        expect(next.length).toBeLessThanOrEqual(limit);
        if (next.length === 0) return all;
        all.push(...next);
      }
      throw new Error('pages without an end');
    }

    test('a time without an id stands before, or behind, all of its millisecond', async () => {
      const { store, stream } = rig;
      const [early, one, two, late] = [
        body({ atMs: nowMs - 1 }),
        body({ number: 1 }),
        body({ number: 2 }),
        body({ atMs: nowMs + 1 }),
      ];
      for (const comment of [early, one, two, late]) await add(comment);
      expect(idsOf(await store.newest(stream, 10, { createdAtMs: nowMs }))).toEqual([early.id]);
      expect(idsOf(await store.following(stream, 10, { createdAtMs: nowMs }))).toEqual([late.id]);
      expect(idsOf(await store.following(stream, 10, { createdAtMs: nowMs, id: one.id }))).toEqual([
        two.id,
        late.id,
      ]);
    });

    test('made-up ids and places at either end of time are as any other', async () => {
      const { store, stream } = rig;
      const { id } = await add(body());
      const last = CommentId.parse(`${stream}~${'v'.repeat(26)}`);
      const first = CommentId.parse(`${stream}~${'0'.repeat(26)}`);
      const [yearZero, year9999] = [-62_167_219_200_000, 253_402_300_799_999];
      const beyond = { createdAtMs: 2 ** 48 - 1, id: last };
      for (const one of [last, first]) {
        expect(await store.get(one)).toBeUndefined();
        expect(await store.setHidden(one, hiding(nowMs), nowMs)).toBeUndefined();
      }
      const pages = [
        await store.newest(stream, 10, beyond),
        await store.newest(stream, 10, { createdAtMs: year9999 }),
        await store.newest(stream, 10, { createdAtMs: yearZero }),
        await store.following(stream, 10, beyond),
        await store.following(stream, 10, { createdAtMs: year9999 }),
        await store.following(stream, 10, { createdAtMs: yearZero }),
      ];
      expect(pages.map(idsOf)).toEqual([[id], [id], [], [], [], [id]]);
    });

    test('pages reach over hours without a comment', async () => {
      const { store, stream } = rig;
      const hourMs = 3_600_000;
      const all = [30, 29, 3, 0].map((hours) => body({ atMs: nowMs - hours * hourMs }));
      for (const comment of all) await add(comment);
      expect(idsOf(await store.newest(stream, 10))).toEqual(idsOf(all.toReversed()));
      const behind = { createdAtMs: nowMs - 30 * hourMs };
      expect(idsOf(await store.following(stream, 10, behind))).toEqual(idsOf(all.slice(1)));
    });

    test('streams do not see each other', async () => {
      const { store, stream } = rig;
      const neighbour = StreamId.parse(`${stream}-2`);
      await add(body());
      await add(body({ stream: neighbour }));
      expect(await store.newest(stream, 10)).toMatchObject([{ streamId: stream }]);
      expect(await store.arrivedSince(neighbour, 0, 10)).toMatchObject([{ streamId: neighbour }]);
    });

    test('a comment is changed once its change is later than its arrival', async () => {
      const { store, other } = rig;
      const [first, second] = [await add(body()), await add(body({ number: 1 }))];
      for (const { arrivedAtMs, changedAtMs } of [first, second]) {
        expect(arrivedAtMs).toBe(changedAtMs);
        expect(arrivedAtMs).toBeGreaterThanOrEqual(nowMs);
      }
      const hidden = await other.setHidden(first.id, hiding(nowMs), nowMs);
      expect(hidden?.arrivedAtMs).toBe(first.arrivedAtMs);
      expect(hidden?.changedAtMs).toBeGreaterThan(first.arrivedAtMs);
      expect(await store.get(second.id)).toEqual(second);
    });

    test('a hidden comment is hidden in every read, and shown again', async () => {
      const { store, other, stream } = rig;
      const comment = await add(body());
      const hidden = { by: ada, atMs: nowMs + 1, reason: 'rude' };
      const moderatedAtMs = nowMs + 1;
      expect(await other.setHidden(comment.id, hidden, nowMs + 1)).toMatchObject({ id: comment.id, hidden });
      expect(await store.newest(stream, 10)).toMatchObject([{ hidden, moderatedAtMs }]);
      expect(await store.following(stream, 10, { createdAtMs: 0 })).toMatchObject([{ hidden }]);
      expect(await store.arrivedSince(stream, nowMs, 10)).toMatchObject([{ hidden }]);
      const shown = await store.setHidden(comment.id, undefined, nowMs + 2);
      expect([comment, shown].map((row) => row?.moderatedAtMs)).toEqual([undefined, nowMs + 2]);
      expect({ id: shown?.id, hidden: shown?.hidden }).toEqual({ id: comment.id, hidden: undefined });
      expect((await other.get(comment.id))?.hidden).toBeUndefined();
    });

    test('adding again shows no hidden comment', async () => {
      const { store } = rig;
      const comment = body();
      await add(comment);
      await store.setHidden(comment.id, hiding(nowMs + 1), nowMs + 1);
      const again = await store.add(comment, { isHeld: false, nowMs: nowMs + 2 });
      expect(again).toMatchObject({ isNew: false, comment: { hidden: { by: ada } } });
    });

    // Goal: moderators at two edges end up with one result. Method: the same acts in both orders; the later one wins.
    test.each([
      ['a restore of before it', 10, 5, true],
      ['a restore of the same time', 10, 10, true],
      ['a restore of after it', 10, 15, false],
    ])('a hide against %s has one result in either order', async (_, hideAt, showAt, isHidden) => {
      const { store, other } = rig;
      const acts = (id: CommentBody['id']) => [
        () => store.setHidden(id, hiding(nowMs + hideAt), nowMs + hideAt),
        () => other.setHidden(id, undefined, nowMs + showAt),
      ];
      const results: unknown[] = [];
      for (const [number, order] of [acts, (id: CommentBody['id']) => acts(id).toReversed()].entries()) {
        const { id } = await add(body({ number }));
        for (const act of order(id)) await act();
        results.push((await store.get(id))?.hidden !== undefined);
      }
      expect({ results }).toEqual({ results: [isHidden, isHidden] });
    });

    test('a hide of a comment that is not here yet hides it when it arrives', async () => {
      const { store, other, stream } = rig;
      const comment = body();
      expect(await store.setHidden(comment.id, hiding(nowMs, 'rude'), nowMs)).toBeUndefined();
      const added = await other.add(comment, { isHeld: false, nowMs: nowMs + 1000 });
      expect(added.comment).toMatchObject({
        hidden: { by: ada, atMs: nowMs, reason: 'rude' },
        moderatedAtMs: nowMs,
      });
      expect(await store.newest(stream, 10)).toMatchObject([{ hidden: { reason: 'rude' } }]);
    });

    test('a hide and a restore of a comment that is not here yet leave it shown', async () => {
      const { store } = rig;
      const comment = body();
      await store.setHidden(comment.id, undefined, nowMs + 2);
      await store.setHidden(comment.id, hiding(nowMs + 1), nowMs + 1);
      expect((await add(comment)).hidden).toBeUndefined();
      expect((await store.get(comment.id))?.hidden).toBeUndefined();
    });

    test('a hide for a comment that does not come within 10 minutes is forgotten', async () => {
      const { store } = rig;
      const comment = body();
      await store.setHidden(comment.id, hiding(nowMs), nowMs);
      expect((await add(comment, Date.now() + 601_000)).hidden).toBeUndefined();
    });

    // Goal: who reads on from what it saw last misses nothing that was acknowledged. Method: two writers, one with a clock that is 3 s
    // behind, and one reader that asks again and again, by small pages, until it has all.
    test('reading on by the time of change has what two writers wrote, hides among it', async () => {
      const { store, other, stream } = rig;
      const written = new Set<string>();
      const write = async (into: AudienceStore, first: number, clockMs: number): Promise<void> => {
        for (let number = first; number < first + 40; number += 1) {
          const { id } = await add(body({ number }), Date.now() + clockMs, into);
          written.add(id);
        }
      };
      const seen = new Map<string, StoredComment>();
      let sinceMs = 0;
      const read = async (): Promise<void> => {
        const next = await store.arrivedSince(stream, sinceMs, 7);
        for (const comment of next) seen.set(comment.id, comment);
        sinceMs = next.at(-1)?.changedAtMs ?? sinceMs;
      };
      const writing = Promise.all([write(store, 0, 0), write(other, 100, -3000)]);
      for (let turn = 0; turn < 20; turn += 1) await read();
      await writing;
      const hiddenId = body({ number: 3 }).id;
      await other.setHidden(hiddenId, hiding(Date.now()), Date.now());
      for (let turn = 0; turn < 40; turn += 1) await read();
      expect({ missed: [...written].filter((id) => !seen.has(id)) }).toEqual({ missed: [] });
      expect(seen.get(hiddenId)?.hidden).toMatchObject({ by: ada });
    });

    test('what arrives is told in the order of its change, from a time on', async () => {
      const { store, stream } = rig;
      const [one, two, three] = [body({ number: 1 }), body({ number: 2 }), body({ number: 3 })];
      await add(three, nowMs);
      await add(two, nowMs + 10);
      const last = await add(one, nowMs + 20);
      await store.setHidden(two.id, hiding(nowMs + 30), nowMs + 30);
      const all = await store.arrivedSince(stream, nowMs, 10);
      expect(idsOf(all)).toEqual(idsOf([three, one, two]));
      expect(all.map(({ changedAtMs }) => changedAtMs)).toEqual(
        all.map(({ changedAtMs }) => changedAtMs).toSorted((a, b) => a - b),
      );
      expect(idsOf(await store.arrivedSince(stream, last.changedAtMs, 10))).toEqual(idsOf([one, two]));
      expect(idsOf(await store.arrivedSince(stream, nowMs, 2))).toEqual(idsOf([three, one]));
    });

    test('keeps the mode that was set last, whichever came last', async () => {
      const { store, other, stream } = rig;
      await store.setMode(stream, { mode: 'accounts', slowSeconds: 5 }, nowMs + 10);
      await other.setMode(stream, { mode: 'closed', slowSeconds: 0 }, nowMs);
      expect(await store.mode(stream)).toEqual({ mode: 'accounts', slowSeconds: 5 });
      await other.setMode(stream, { mode: 'open', slowSeconds: 0 }, nowMs + 20);
      expect(await store.mode(stream)).toEqual({ mode: 'open', slowSeconds: 0 });
    });

    test('takes an act into the audit, and the same once more', async () => {
      const { store, other, stream } = rig;
      const act = { streamId: stream, atMs: nowMs, by: 'operator', act: 'mode', on: stream } as const;
      await store.audit(act);
      await other.audit(act);
      await store.audit({ ...act, by: ada, reason: "it's; DROP TABLE audit; --" });
    });

    test.each([
      ['emoji and scripts', '👩‍👩‍👧‍👦 🏳️‍🌈 مرحبا 你好 ñ Ω'],
      ['half of a pair', 'half \uD83D of it'],
      ['line breaks and quotes', `one\ntwo "three" 'four' \\ five \${six} \t`],
      ['500 of four bytes each', '😀'.repeat(500)],
      ['SQL', `'); DROP TABLE comments; --`],
      ['CQL', `' APPLY BATCH; TRUNCATE comments_by_stream; /* `],
      ['JSON and HTML', `{"$ne":null}</script><img src=x onerror=alert(1)>`],
      ['bidi and zero width', '\u202Eabc\u200B\u2066'],
      ['words that are properties', '__proto__ constructor'],
    ])('%s in any field come back as they were', async (_, text) => {
      const { store, other, stream } = rig;
      const comment = body({ text, name: text });
      await add(comment);
      await store.setHidden(comment.id, hiding(nowMs + 1, text), nowMs + 1);
      await store.audit({ streamId: stream, atMs: nowMs, by: ada, act: text, on: text, reason: text });
      expect(await other.get(comment.id)).toMatchObject({
        text,
        author: { name: text },
        hidden: { reason: text },
      });
      const again = await other.add(comment, { isHeld: false, nowMs });
      expect(again).toMatchObject({ isNew: false, comment: { text } });
    });

    test('a closed one refuses, and closes again', async () => {
      const { store, subject } = rig;
      const third = await subject.open();
      const comment = await add(body(), nowMs, third);
      const underWay = third.add(body({ number: 1 }), { isHeld: false, nowMs });
      await third.close();
      await third.close();
      expect((await underWay).isNew).toBe(true);
      await expect(third.get(comment.id)).rejects.toThrow(code('UNAVAILABLE'));
      expect(await store.get(comment.id)).toEqual(comment);
    });
  });
}
