/** The contract of `ModerationStore`, for each of its implementations. */
import { describe, expect, test } from 'vitest';
import type { AuditRow } from '../../../../actors/comments/store/comment-store.ts';
import { StreamId, UserId } from '../../../../cluster/model/ids.ts';
import { ada, AudienceRig, ben, idsOf, type StartSubject } from './audience-subject.ts';

const third = UserId.parse('g-cleo');
const fourth = UserId.parse('g-dan');

export function moderationContract(name: string, start: StartSubject): void {
  describe(`bans in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;
    /** Bans of all streams are for all tests, so each has users of its own. */
    let users = 0;
    const newUser = (): UserId => UserId.parse(`g-user${(users += 1)}-${rig.nowMs.toString(36)}`);
    const banOf = (userId: UserId, more: object = {}) => ({ userId, by: ben, atMs: nowMs, ...more });

    test('a ban counts on its stream alone, until its time', async () => {
      const userId = newUser();
      const ban = banOf(userId, { streamId: rig.stream, untilMs: nowMs + 1000, reason: 'spam' });
      await rig.store.ban(ban);
      await rig.store.ban(ban);
      expect(await rig.other.banOf(userId, rig.stream, nowMs)).toEqual(ban);
      expect(await rig.other.banOf(userId, rig.stream, nowMs + 1000)).toBeUndefined();
      expect(await rig.other.banOf(userId, StreamId.parse(`${rig.stream}-2`), nowMs)).toBeUndefined();
      expect(await rig.other.banOf(newUser(), rig.stream, nowMs)).toBeUndefined();
    });

    test('a ban of all streams counts on each, for good', async () => {
      const userId = newUser();
      await rig.store.ban(banOf(userId));
      const far = nowMs + 1e12;
      expect(await rig.other.banOf(userId, rig.stream, far)).toEqual(banOf(userId));
      expect(await rig.store.bans(undefined, nowMs, 1000)).toContainEqual(banOf(userId));
      await rig.store.unban(userId, undefined, nowMs + 1);
      expect(await rig.other.banOf(userId, rig.stream, far)).toBeUndefined();
    });

    test.each([
      ['earlier', -5, true],
      ['later', 5, false],
    ])('a ban that is ended %s has one result in either order', async (_, afterMs, isBanned) => {
      const results: unknown[] = [];
      for (const isReversed of [false, true]) {
        const userId = newUser();
        const acts = [
          () => rig.store.ban(banOf(userId, { streamId: rig.stream })),
          () => rig.other.unban(userId, rig.stream, nowMs + afterMs),
        ];
        for (const act of isReversed ? acts.toReversed() : acts) await act();
        results.push((await rig.store.banOf(userId, rig.stream, nowMs)) !== undefined);
      }
      expect({ results }).toEqual({ results: [isBanned, isBanned] });
    });

    test('the bans of a stream that are in force are told page by page', async () => {
      const { store, stream } = rig;
      const ids = [newUser(), newUser(), newUser(), newUser()].toSorted();
      const [over, ended, ...inForce] = ids;
      for (const userId of ids) await store.ban(banOf(userId, { streamId: stream, untilMs: nowMs + 500 }));
      if (over !== undefined)
        await store.ban(banOf(over, { streamId: stream, untilMs: nowMs + 10, atMs: nowMs + 1 }));
      if (ended !== undefined) await store.unban(ended, stream, nowMs + 1);
      const first = await store.bans(stream, nowMs + 20, 1);
      const rest = await store.bans(stream, nowMs + 20, 10, first[0]?.userId);
      expect([...first, ...rest].map(({ userId }) => userId)).toEqual(inForce);
    });
  });

  describe(`the last act in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;

    test('of a user and a stream is the ban or its end, of a stream its mode', async () => {
      const { store, other, stream: streamId } = rig;
      const [ban, mode] = [
        { kind: 'ban', userId: ada, streamId } as const,
        { kind: 'mode', streamId } as const,
      ];
      const times: number[] = [await store.lastActMs(ban), await store.lastActMs(mode)];
      await store.ban({ streamId, userId: ada, by: ben, atMs: nowMs + 1 });
      times.push(await other.lastActMs(ban));
      await store.unban(ada, streamId, nowMs + 3);
      await store.unban(ada, streamId, nowMs + 2);
      await store.setMode(streamId, { mode: 'closed', slowSeconds: 0 }, nowMs + 4);
      times.push(await other.lastActMs(ban), await other.lastActMs(mode));
      const everywhere = await store.lastActMs({ ...ban, streamId: undefined });
      expect({ times, everywhere }).toEqual({
        times: [-1, -1, nowMs + 1, nowMs + 3, nowMs + 4],
        everywhere: -1,
      });
    });

    test('of a comment is a hide, a restore, what its author said, a report or a release, also before it is here', async () => {
      const { store, other } = rig;
      const comment = rig.body();
      const { id } = comment;
      const at = (afterMs: number) => ({ by: ben, atMs: nowMs + afterMs });
      const acts: (() => Promise<unknown>)[] = [
        () => store.setHidden(id, at(1), nowMs + 1),
        () => rig.add(comment, nowMs + 2),
        () => store.setHidden(id, undefined, nowMs + 3),
        () => store.withdraw(id, at(4), nowMs + 4),
        () => store.withdraw(id, undefined, nowMs + 5),
        () => store.report({ commentId: id, voice: 'one', ...at(6) }, 3),
        () => store.release(id, nowMs + 7),
      ];
      const before = await store.lastActMs({ kind: 'comment', id });
      const after: number[] = [];
      for (const act of acts) {
        await act();
        after.push((await other.lastActMs({ kind: 'comment', id })) - nowMs);
      }
      expect({ before, after }).toEqual({ before: -1, after: [1, 1, 3, 4, 5, 6, 7] });
    });
  });

  // Goal: a clock that is an hour ahead decides nothing but which of two acts stays. Method: acts of that clock, then a comment of the right one.
  describe(`acts by a clock that is ahead in ${name}`, () => {
    const rig = new AudienceRig(start);

    test('are told when they are made, and so is what comes after them', async () => {
      const { store, other } = rig;
      const author = UserId.parse(`g-user0-${rig.nowMs.toString(36)}`);
      const { id } = await rig.add(rig.body({ author }));
      const atMs = rig.nowMs + 3_600_000;
      const acts = [
        () => store.setHidden(id, { by: ben, atMs }, atMs),
        () => other.setHidden(id, undefined, atMs + 1),
        () => store.withdraw(id, { by: ada, atMs: atMs + 2 }, atMs + 2),
        () => store.report({ commentId: id, by: ada, voice: 'one', atMs: atMs + 3 }, 1),
        () => other.release(id, atMs + 4),
        () => store.eraseUser(author, atMs + 5),
      ];
      const ahead: boolean[] = [];
      for (const act of acts) {
        await act();
        const changedAtMs = (await store.get(id))?.changedAtMs ?? Infinity;
        ahead.push(changedAtMs > Date.now() + 1000);
      }
      const { arrivedAtMs } = await rig.add(rig.body({ number: 1 }), Date.now());
      ahead.push(arrivedAtMs > Date.now() + 1000);
      expect({ ahead }).toEqual({ ahead: [false, false, false, false, false, false, false] });
    });
  });

  describe(`reports in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;

    test('the third user who reports a comment holds it, not the third report', async () => {
      const { id } = await rig.add(rig.body());
      const report = (by: UserId, store = rig.store) =>
        store.report({ commentId: id, by, voice: by, atMs: nowMs + 1, reason: 'rude' }, 3);
      expect(await report(ada)).toMatchObject({ reports: 1, isHeld: false });
      expect(await report(ada, rig.other)).toMatchObject({ reports: 1, isHeld: false });
      expect(await report(ben)).toMatchObject({ reports: 2, isHeld: false });
      expect(await report(third, rig.other)).toMatchObject({ reports: 3, isHeld: true });
      expect(await rig.store.get(id)).toMatchObject({ reports: 3, isHeld: true });
    });

    test('reports with one voice count once, whoever makes them', async () => {
      const { id } = await rig.add(rig.body());
      const report = (by: UserId, voice: string, store = rig.store) =>
        store.report({ commentId: id, by, voice, atMs: nowMs + 1 }, 2);
      await report(ada, 'one network');
      await report(ben, 'one network', rig.other);
      expect(await report(third, 'one network')).toMatchObject({ reports: 1, isHeld: false });
      expect(await report(fourth, 'another one', rig.other)).toMatchObject({ reports: 2, isHeld: true });
    });

    test('a released comment is shown, and only later reports hold it again', async () => {
      const { id } = await rig.add(rig.body());
      const report = (by: UserId, atMs: number) =>
        rig.store.report({ commentId: id, by, voice: by, atMs }, 3);
      for (const by of [ada, ben, third]) await report(by, nowMs + 1);
      const released = await rig.other.release(id, nowMs + 2);
      expect({ isHeld: released?.isHeld, reports: released?.reports }).toEqual({
        isHeld: false,
        reports: undefined,
      });
      await report(third, nowMs + 1);
      expect((await report(fourth, nowMs + 3))?.reports).toBe(1);
      for (const by of [ada, ben]) await report(by, nowMs + 4);
      expect(await rig.store.get(id)).toMatchObject({ isHeld: true, reports: 3 });
    });

    test('reports and releases of what is not here keep nothing', async () => {
      const { id } = rig.body();
      expect(await rig.store.report({ commentId: id, by: ada, voice: ada, atMs: nowMs }, 1)).toBeUndefined();
      expect(await rig.store.release(id, nowMs)).toBeUndefined();
      expect(await rig.add(rig.body())).toMatchObject({ isHeld: false });
    });

    test('lists what is held, reported and hidden, newest first and page by page', async () => {
      const { store, stream } = rig;
      const all = [0, 1, 2, 3, 4, 5].map((number) => rig.body({ number }));
      for (const [number, comment] of all.entries()) await store.add(comment, { isHeld: number < 2, nowMs });
      const [, , two, three, four, five] = all;
      for (const comment of [two, three])
        if (comment !== undefined)
          await store.report({ commentId: comment.id, by: ada, voice: ada, atMs: nowMs + 1 }, 3);
      if (four !== undefined) await store.setHidden(four.id, { by: ben, atMs: nowMs }, nowMs);
      if (five !== undefined) await store.withdraw(five.id, { by: ada, atMs: nowMs }, nowMs);
      const [newest] = await store.listed(stream, 'held', 1);
      expect(newest?.id).toBe(all[1]?.id);
      expect(idsOf(await store.listed(stream, 'held', 10, newest))).toEqual([all[0]?.id]);
      expect(idsOf(await store.listed(stream, 'reported', 10))).toEqual([three?.id, two?.id]);
      expect(idsOf(await store.listed(stream, 'hidden', 10))).toEqual([five?.id, four?.id]);
      if (two !== undefined) await store.release(two.id, nowMs + 2);
      expect(idsOf(await store.listed(stream, 'reported', 10))).toEqual([three?.id]);
    });

    test('reports of many users at once hold a comment', async () => {
      const { id } = await rig.add(rig.body());
      const reports = [ada, ben, third, fourth].map((by, index) =>
        (index % 2 === 0 ? rig.store : rig.other).report(
          { commentId: id, by, voice: by, atMs: nowMs + 1 },
          2,
        ),
      );
      await Promise.all(reports);
      expect(await rig.store.get(id)).toMatchObject({ isHeld: true });
    });

    test('a change by a report or a release is told to who reads on', async () => {
      const { id, changedAtMs } = await rig.add(rig.body());
      await rig.store.report({ commentId: id, by: ada, voice: ada, atMs: nowMs + 10 }, 1);
      const [held] = await rig.other.arrivedSince(rig.stream, nowMs, 10);
      expect(held).toMatchObject({ id, isHeld: true });
      expect(held?.changedAtMs).toBeGreaterThan(changedAtMs);
    });
  });

  describe(`the audit in ${name}`, () => {
    const rig = new AudienceRig(start);

    test('is told newest first, page by page, each act once', async () => {
      const { store, stream, nowMs } = rig;
      const act = (atMs: number, what: string): AuditRow => ({
        streamId: stream,
        atMs,
        by: 'operator',
        act: what,
        on: stream,
        reason: 'because',
      });
      const rows = [
        act(nowMs + 2, 'mode'),
        act(nowMs + 1, 'hide'),
        act(nowMs + 1, 'ban'),
        act(nowMs, 'hide'),
      ];
      for (const row of [...rows, ...rows]) await store.audit(row);
      const told: AuditRow[] = [];
      for (let pages = 0; pages < 3; pages += 1)
        told.push(...(await rig.other.audited(stream, 2, told.at(-1))));
      expect(told).toEqual(rows);
    });
  });

  describe(`what a user wrote in ${name}`, () => {
    const rig = new AudienceRig(start);
    const { nowMs } = rig;

    test('is found by its stream and time, for a purge', async () => {
      const { store, stream } = rig;
      const own = [0, 1, 2].map((number) => rig.body({ atMs: nowMs + number, author: 'g-purged' }));
      for (const comment of [...own, rig.body({ number: 7 })]) await rig.add(comment);
      const other = rig.body({ author: 'g-purged', stream: StreamId.parse(`${stream}-2`) });
      await rig.add(other);
      const author = UserId.parse('g-purged');
      expect(idsOf(await store.latestOf(author, stream, nowMs + 1, 100))).toEqual(
        idsOf(own.slice(1).toReversed()),
      );
      expect(idsOf(await store.latestOf(author, stream, 0, 1))).toEqual([own[2]?.id]);
    });

    // Goal: what users and moderators write is never part of a query. Method: quotes, comments and statements of CQL and SQL in every field.
    test('words that look like a query are words', async () => {
      const { store, other, stream } = rig;
      const query = `'; DROP TABLE comments; -- " \\ $$ {} ? :a /* */ TRUNCATE comments_by_stream`;
      const by = UserId.parse('g-query');
      const comment = await rig.add(rig.body({ text: query, name: query, author: by }));
      await store.setHidden(comment.id, { by, atMs: nowMs, reason: query }, nowMs);
      await store.ban({ streamId: stream, userId: by, by: ben, atMs: nowMs, reason: query });
      await store.audit({ streamId: stream, atMs: nowMs, by, act: query, on: query, reason: query });
      expect(await other.get(comment.id)).toMatchObject({
        text: query,
        author: { name: query },
        hidden: { reason: query },
      });
      expect(await other.banOf(by, stream, nowMs)).toMatchObject({ reason: query });
      expect(await other.audited(stream, 10)).toMatchObject([{ act: query, on: query, reason: query }]);
      expect(await other.newest(stream, 10)).toHaveLength(1);
    });

    // Goal: an erasure is for good. Method: more comments than one transaction empties, one of a clock that is ahead, a retry, late ones, and one of after it.
    test('is emptied for good, also what arrives late, and nobody else loses a word', async () => {
      const { store, other, stream } = rig;
      const author = UserId.parse(`g-erased-${nowMs.toString(36)}`);
      const own = Array.from({ length: 250 }, (_, number) => rig.body({ number, author }));
      await Promise.all(own.map((comment) => rig.add(comment)));
      await rig.add(rig.body({ atMs: nowMs + 900, number: 299, author }));
      const neighbour = await rig.add(rig.body({ atMs: nowMs + 5, name: 'Ben', author: ben }));
      expect(await store.eraseUser(author, nowMs)).toEqual({ comments: 251, streams: [stream] });
      expect(await other.eraseUser(author, nowMs)).toEqual({ comments: 0, streams: [] });
      const [first] = own;
      if (first === undefined) throw new Error('there is a first one');
      const again = await other.add(first, { isHeld: false, nowMs });
      expect(again).toMatchObject({ isNew: false, comment: { text: '', isErased: true } });
      await rig.add(rig.body({ number: 300, author }));
      await rig.add(rig.body({ atMs: nowMs + 1000, number: 301, author }));
      await rig.add(rig.body({ atMs: nowMs + 1001, number: 302, author, text: 'back again' }));
      const words = (await store.newest(stream, 1000)).map(({ text, author }) => [author.name, text]);
      expect(Object.fromEntries(words)).toEqual({ Ben: neighbour.text, '': '', Ada: 'back again' });
      expect(words).toHaveLength(255);
    });
  });
}
