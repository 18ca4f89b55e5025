/** Three regions' files of comments that tell each other what changed: all have the same in the end (A14). */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commentIdOf } from '../../../actors/comments/ids/comment-id.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { openCommentDatabase } from '../../../actors/comments/store/sqlite/open-database.sqlite.ts';
import { operationsOn } from '../../../actors/comments/store/sqlite/operations.sqlite.ts';
import { commentChanges } from '../../../cluster/contract/regions/comments.ts';
import { ClientId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';

const streamId = StreamId.parse('show');
const regions = ['eu', 'us', 'asia'].map((region) => RegionId.parse(region));
const users = ['g-ada', 'g-bob', 'g-cyd', 'g-dan'].map((user) => UserId.parse(user));
const clients = ['1', '2', '3'].map((one) => ClientId.parse(`01890000-0000-7000-8000-00000000000${one}`));
const startMs = Number.parseInt('018900000000', 16);
const times = { nowMs: startMs, askedAtMs: startMs };

/** What every region must have equal, with the columns that are its own left out. */
const shown = {
  comments:
    'id, authorId, body, isHeld, hiding, hidingAtMs, withdrawal, withdrawalAtMs, releasedAtMs, isErased, reports',
  likes: 'commentId, userId, isOn, atMs',
  likeCounts: 'id, count',
  replyCounts: 'id, count',
  bans: 'streamId, userId, isOn, byId, atMs, untilMs, reason',
  modes: 'streamId, mode, slowSeconds, atMs',
  audit: 'streamId, atMs, byId, act, onId, reason',
  reports: 'commentId, userId, voice, atMs, reason',
  erasedUsers: 'userId, atMs',
  reactionCounts: 'streamId, minuteMs, kind, source, count',
};

type Region = ReturnType<typeof openRegion>;

const fileOf = (folder: string, region: RegionId): string => join(folder, `${region}.sqlite`);

function openRegion(folder: string, region: RegionId) {
  const database = openCommentDatabase(fileOf(folder, region), randomUUID);
  const operations = operationsOn(database);
  const write = <T>(work: () => T): T => database.transaction(work);
  for (const other of regions) write(() => operations.cursor(other));
  return {
    region,
    database,
    operations,
    write,
    dump: () =>
      Object.entries(shown).map(([table, columns]) => ({
        table,
        rows: database
          .all(`SELECT ${columns} FROM ${table} ORDER BY ${columns}`)
          // A count of none may be a row or not.
          .filter((row) => row['count'] !== 0)
          .map((row) => ({ ...row })),
      })),
  };
}

/** Asks, and takes later: so two regions may ask each other at once. @returns what takes it, and says how many changes came */
function ask(to: Region, from: Region): () => number {
  const answer = from.operations.changes(to.write(() => to.operations.cursor(from.region)));
  return () => {
    const news = to.write(() => to.operations.takeChanges(from.region, answer, times));
    expect({ refused: news.refused }).toEqual({ refused: 0 });
    return answer.changes.length;
  };
}

const pull = (to: Region, from: Region): number => ask(to, from)();

function pullAll(all: readonly Region[]): number {
  const asked = all.flatMap((to) => all.filter((from) => from !== to).map((from) => ask(to, from)));
  return asked.reduce((sum, take) => sum + take(), 0);
}

const bodyOf = (
  author: UserId,
  client: ClientId,
  text: string,
  region: RegionId,
  parent?: CommentBody,
): CommentBody => ({
  id: commentIdOf({ streamId, authorId: author, clientId: client }),
  streamId,
  author: { id: author, name: author },
  clientId: client,
  text,
  createdAtMs: startMs,
  region,
  ...(parent === undefined ? { path: [] } : { parentId: parent.id, rootId: parent.id, path: [parent.id] }),
});
const rootOf = (region: RegionId): CommentBody =>
  bodyOf(users[0] ?? never(), clients[0] ?? never(), 'root', region);
const never = (): never => {
  throw new Error('there is one');
};

// Few values and times, so that acts meet on one row, and at one time.
const act = fc.record({
  where: fc.nat(2),
  what: fc.constantFrom(
    ...([
      'add',
      'answer',
      'hide',
      'restore',
      'withdraw',
      'like',
      'unlike',
      'ban',
      'unban',
      'mode',
      'report',
      'release',
    ] as const),
    ...(['erase', 'react', 'audit', 'pull', 'pull'] as const),
  ),
  user: fc.constantFrom(...users),
  other: fc.constantFrom(...users),
  client: fc.constantFrom(...clients),
  n: fc.nat(3),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function perform({ operations, region, write }: Region, { what, user, other, client, n }: Act): void {
  const atMs = startMs + n;
  const { id } = bodyOf(user, client, '', region);
  const reason = `reason ${n}`;
  const acts: Partial<Record<Act['what'], () => unknown>> = {
    add: () => operations.add(bodyOf(user, client, 'text', region), { isHeld: n === 0, nowMs: atMs }),
    answer: () =>
      operations.add(bodyOf(user, client, 'text', region, rootOf(region)), { isHeld: false, nowMs: atMs }),
    hide: () => operations.setHidden(id, { by: other, atMs, reason }, atMs, startMs),
    restore: () => operations.setHidden(id, undefined, atMs, startMs),
    withdraw: () => operations.withdraw(id, n > 1 ? undefined : { by: user, atMs }, atMs, startMs),
    like: () => operations.like(id, other, true, atMs),
    unlike: () => operations.like(id, other, false, atMs),
    ban: () => operations.ban({ streamId, userId: user, by: other, atMs, reason }),
    unban: () => operations.unban(user, streamId, atMs),
    mode: () => operations.setMode(streamId, { mode: n > 1 ? 'open' : 'closed', slowSeconds: n }, atMs),
    report: () => operations.report({ commentId: id, by: other, voice: other, atMs, reason }, 3, startMs),
    release: () => operations.release(id, atMs, startMs),
    erase: () => operations.eraseSome(user, atMs, startMs),
    react: () => operations.keepReactions(streamId, region, { minuteMs: 60_000, counts: { heart: n } }),
    audit: () => operations.audit({ streamId, atMs, by: other, act: what, on: user }),
  };
  try {
    write(() => acts[what]?.());
  } catch {
    // Refused: the same clientId with another parent.
  }
}

function eraseEverywhere(all: readonly Region[]): void {
  for (const { operations, write, database } of all)
    for (const { userId, atMs } of database.all('SELECT userId, atMs FROM erasedUsers'))
      write(() => operations.eraseSome(UserId.parse(userId), Number(atMs) - 1000, startMs));
}

// Method: random acts and pulls; then pulls until nobody has anything new. That comes to an end, and all tables are equal.
test('after random acts in three regions, and pulls in any order, all regions have the same, and nothing goes round', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 5, maxLength: 40 }), (acts) => {
      const folder = mkdtempSync(join(tmpdir(), 'tangaza-converge-'));
      const all = regions.map((region) => openRegion(folder, region));
      const at = (index: number): Region => all[index % all.length] ?? never();
      try {
        for (const one of acts)
          if (one.what === 'pull') pull(at(one.where), at(one.where + 1 + (one.n % 2)));
          else perform(at(one.where), one);
        let rounds = 0;
        for (let came = 1; came > 0; rounds += 1) {
          expect({ rounds: Math.min(rounds, 12) }).toEqual({ rounds });
          eraseEverywhere(all);
          came = pullAll(all);
        }
        const [first, ...others] = all.map(({ dump }) => dump());
        for (const other of others) expect(other).toEqual(first);
      } finally {
        for (const { database } of all) database.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

// Method: the other region has taken two comments more than the backup has. What is written after that gets their numbers, and more.
test('a file that was put back from a backup tells what was written then, and what nobody has taken of it counts as taken by nobody', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-converge-'));
  const [eu, us] = [regions[0] ?? never(), regions[1] ?? never()];
  const author = users[0] ?? never();
  const say = ({ write, operations }: Region, number: number): string => {
    const client = ClientId.parse(`01890000-0000-7000-8000-00000000001${number}`);
    const body = bodyOf(author, client, 'text', eu);
    write(() => operations.add(body, { isHeld: false, nowMs: startMs }));
    return body.id;
  };
  const ofEu = (): Region => openRegion(folder, eu);
  const to = openRegion(folder, us);
  const closing: Region[] = [to];
  try {
    const first = ofEu();
    say(first, 0);
    first.database.close();
    copyFileSync(fileOf(folder, eu), join(folder, 'backup'));
    const before = ofEu();
    for (const number of [1, 2]) say(before, number);
    expect(pull(to, before)).toBe(3);
    before.database.close();
    copyFileSync(join(folder, 'backup'), fileOf(folder, eu));
    const after = ofEu();
    closing.push(after);
    const said = [3, 4, 5].map((number) => say(after, number));
    const asked = to.write(() => to.operations.cursor(eu));
    after.write(() => after.operations.noteTaken(us, asked));
    expect(after.operations.takenBy(us, streamId, 0, startMs)).toEqual([]);
    pull(to, after);
    const ids = to.database.all('SELECT id FROM comments').map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(said));
    const askedThen = to.write(() => to.operations.cursor(eu));
    after.write(() => after.operations.noteTaken(us, askedThen));
    expect(after.operations.takenBy(us, streamId, 0, startMs)).toHaveLength(4);
  } finally {
    for (const { database } of closing) database.close();
    rmSync(folder, { recursive: true });
  }
});

test('long comments in letters of three bytes come over in answers that may cross, until all have come', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-converge-'));
  const [one, two] = regions.slice(0, 2).map((region) => openRegion(folder, region));
  const [from, to] = [one ?? never(), two ?? never()];
  try {
    const author = users[0] ?? never();
    const client = (number: number) =>
      ClientId.parse(`01890000-0000-7000-8000-${String(number).padStart(12, '0')}`);
    for (let number = 0; number < 600; number += 1) {
      const body = bodyOf(author, client(number), 'あ'.repeat(500), from.region);
      from.write(() => from.operations.add(body, { isHeld: false, nowMs: startMs }));
    }
    let [longest, came] = [0, 0];
    const wholeAmid: number[] = [];
    for (let last = 1; last > 0; came += last) {
      const answer = from.operations.changes(to.write(() => to.operations.cursor(from.region)));
      longest = Math.max(longest, Buffer.byteLength(JSON.stringify(answer)));
      to.write(() => to.operations.takeChanges(from.region, answer, times));
      if (!answer.isAll) wholeAmid.push(to.operations.wholeTo([from.region]));
      last = answer.changes.length;
    }
    const whole = to.operations.wholeTo([from.region]);
    expect({ mayCross: longest <= commentChanges.maxResultBytes, came, wholeAmid, whole }).toEqual({
      mayCross: true,
      came: 600,
      wholeAmid: [0, 0],
      whole: startMs,
    });
  } finally {
    for (const { database } of [from, to]) database.close();
    rmSync(folder, { recursive: true });
  }
});

// Goal: an erasure that stopped amid a user's comments counts as done nowhere. Method: more comments than one part empties, and one part after the other.
test('an erasure of another region counts as done once nothing of the user is left', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-erase-'));
  const { operations, write, database } = openRegion(folder, regions[0] ?? never());
  const [user] = users;
  if (user === undefined) return never();
  for (let n = 0; n < 201; n += 1) {
    const client = ClientId.parse(`01890000-0000-7000-8000-${String(n).padStart(12, '0')}`);
    const body = bodyOf(user, client, 'text', regions[0] ?? never());
    write(() => operations.add(body, { isHeld: false, nowMs: startMs }));
  }
  const asked = { userId: user, atMs: startMs + 1000 };
  const left = (): number => operations.unerased([asked]).length;
  const part = (): number => write(() => operations.eraseSome(user, startMs, startMs)).comments;
  expect({ before: left(), first: part(), amid: left(), second: part(), after: left() }).toEqual({
    before: 1,
    first: 200,
    amid: 1,
    second: 1,
    after: 0,
  });
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

// Goal: a big file that becomes one of two regions is never locked for long, and all of it comes over. Method: rows from before, of which one changes between two parts.
test('what was there before there were regions is numbered 2,000 rows at a time, and each row has one number', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-number-'));
  const database = openCommentDatabase(join(folder, 'c.sqlite'), () => 'database');
  const operations = operationsOn(database);
  const [region, user, other] = [regions[0] ?? never(), users[0] ?? never(), users[1] ?? never()];
  const bodies = Array.from({ length: 2500 }, (_, n) => {
    const client = ClientId.parse(`01890000-0000-7000-8000-${String(n).padStart(12, '0')}`);
    return bodyOf(user, client, 'text', region);
  });
  const { id } = bodies[2499] ?? never();
  database.transaction(() => {
    for (const body of bodies) operations.add(body, { isHeld: false, nowMs: startMs });
    operations.like(id, user, true, startMs);
    operations.like(id, other, true, startMs);
    operations.ban({ streamId, userId: user, by: other, atMs: startMs });
  });
  const part = (): number => database.transaction(() => operations.numberSome());
  database.transaction(() => operations.cursor(region));
  const begun = operations.lastChange();
  const first = part();
  const [kind] = database.all('SELECT kind FROM changes ORDER BY seq');
  database.transaction(() => operations.like(id, other, false, startMs + 1));
  expect({ begun, first, kind: kind?.['kind'], second: part(), third: part() }).toEqual({
    begun: 0,
    first: 2000,
    kind: 'ban',
    second: 503,
    third: 0,
  });
  expect({ ...database.one('SELECT count(*) AS numbered FROM changes') }).toEqual({ numbered: 2503 });
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
