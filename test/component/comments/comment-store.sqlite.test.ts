/** What the comments' database in SQLite does beyond its port's contract (test/contract/comment-store.test.ts). */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import type { AudienceStore } from '../../../actors/comments/store/audience-store.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { UserId } from '../../../cluster/model/ids.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';
import { waitUntil } from '../../support/wait.ts';
import { commentBody } from '../../support/ports/stores/comment-bodies.ts';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../support/ports/stores/comment-process.ts');
const worker = resolve(import.meta.dirname, '../../../actors/comments/store/sqlite/comment-worker.sqlite.ts');
const code = (name: string, message?: RegExp): unknown =>
  expect.objectContaining({
    code: name,
    ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
  });
const { streamId } = commentBody();
const everything = { createdAtMs: 0 };

async function temporaryFile(): Promise<
  { readonly folder: string; readonly file: string } & AsyncDisposable
> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-comments-'));
  return {
    folder,
    file: join(folder, 'comments.sqlite'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

interface Opened extends AsyncDisposable {
  readonly store: AudienceStore;
  readonly lines: readonly LogLine[];
  readonly threads: readonly RecordedWorker[];
}

/** Tells which orders it got. */
class RecordedWorker extends Worker {
  readonly orders: string[] = [];
  override postMessage(order: { readonly kind: string }): void {
    this.orders.push(order.kind);
    // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
    super.postMessage(order);
  }
}

async function open(file: string, threads: RecordedWorker[] = []): Promise<Opened> {
  const lines: LogLine[] = [];
  const store = await openSqliteCommentStore({
    file,
    clock: systemClock,
    metrics: noMetrics,
    logger: recordingLogger(lines),
    startThread: (path) => {
      const thread = new RecordedWorker(worker, { workerData: { file: path } });
      threads.push(thread);
      return thread;
    },
  });
  return { store, lines, threads, [Symbol.asyncDispose]: () => store.close() };
}

function start(...args: readonly string[]): { child: ChildProcess; lines: Interface } & Disposable {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  return {
    child,
    lines: createInterface({ input: child.stdout }),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

/** Another process that has begun to write. */
function writer(file: string): { end(): void } & Disposable {
  const database = new DatabaseSync(file);
  database.exec('BEGIN IMMEDIATE');
  return {
    end: () => database.exec('ROLLBACK'),
    [Symbol.dispose]: () => database.close(),
  };
}

const add = (store: AudienceStore, number: number) =>
  store.add(commentBody({ number }), { isHeld: false, nowMs: Date.now() });

// Goal: what was acknowledged survives a crash. Method: SIGKILL a process amid ten writers; all that it had said must be in the file.
test('a process that is killed while it writes loses nothing that it acknowledged', async () => {
  await using place = await temporaryFile();
  using writing = start(place.file, 'endless');
  const acknowledged: string[] = [];
  for await (const id of writing.lines) {
    acknowledged.push(id);
    if (acknowledged.length === 200) writing.child.kill('SIGKILL');
  }
  await using opened = await open(place.file);
  const ids = new Set((await opened.store.following(streamId, 1000, everything)).map(({ id }) => String(id)));
  expect({ lost: acknowledged.filter((id) => !ids.has(id)) }).toEqual({ lost: [] });
  expect(acknowledged.length).toBeGreaterThanOrEqual(200);
});

// Goal: a frozen node costs the others of its host no read, and no more than time for a write. Method: SIGSTOP a process amid ten writers,
// which may or may not hold the file then; SIGKILL it.
test('while a process that writes is frozen others read, and write again once it is killed', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  using writing = start(place.file, 'endless');
  const said = writing.lines[Symbol.asyncIterator]();
  for (let lines = 0; lines < 50; lines += 1) await said.next();
  writing.child.kill('SIGSTOP');
  const before = add(opened.store, 9001).then(() => 'done', errorCodeOf);
  expect((await opened.store.newest(streamId, 10)).length).toBe(10);
  expect(['done', 'UNAVAILABLE']).toContain(await before);
  writing.child.kill('SIGKILL');
  await once(writing.child, 'exit');
  await add(opened.store, 9001);
  expect(await opened.store.get(commentBody({ number: 9001 }).id)).toMatchObject({ isHeld: false });
});

// Goal: the nodes of a host share one file. Method: two processes, told at once, add 300 comments each, of which 100 are the same.
test('two processes that write one file at once lose and double nothing', async () => {
  await using place = await temporaryFile();
  using one = start(place.file, 'race', '0', '300');
  using two = start(place.file, 'race', '200', '300');
  const said = [one, two].map(({ lines }) => lines[Symbol.asyncIterator]());
  for (const lines of said) expect(await lines.next()).toMatchObject({ value: 'ready' });
  for (const { child } of [one, two]) child.stdin?.write('go\n');
  for (const lines of said) expect(await lines.next()).toMatchObject({ value: 'done' });
  await using opened = await open(place.file);
  const all = await opened.store.following(streamId, 1000, everything);
  const changes = await opened.store.arrivedSince(streamId, 0, 1000);
  expect({
    comments: all.length,
    changes: new Set(changes.map(({ changedAtMs }) => changedAtMs)).size,
  }).toEqual({
    comments: 500,
    changes: 500,
  });
});

// Goal: a full disk refuses what is new and nothing else, and is over once there is room. Method: a real file system of 2 MB in a mount
// namespace of its own.
test('a full disk is STORE_FULL, can be read, and takes comments again once there is room', async () => {
  await using place = await temporaryFile();
  const mount = `mount -t tmpfs -o size=2m none '${place.folder}' && exec "$@"`;
  const node = [process.execPath, script, place.file, 'fill'];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', ...node]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    code: 'STORE_FULL',
    again: 'STORE_FULL',
    afterwards: commentBody({ number: 9001 }).id,
    lost: 0,
  });
  expect(result.readWhileFull).toBe(result.acknowledged);
  expect(result.acknowledged).toBeGreaterThan(30);
});

test('a disk that is full as the node starts is STORE_FULL until there is room', async () => {
  await using place = await temporaryFile();
  const mount = `mount -t tmpfs -o size=2m none '${place.folder}' && exec "$@"`;
  const node = [process.execPath, script, place.file, 'startFull'];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', ...node]);
  expect(JSON.parse(stdout)).toEqual({ before: 'STORE_FULL', afterwards: commentBody({ number: 1 }).id });
});

// Goal: a database that is busy stops nothing but writes. Method: another connection holds it; timers of this thread and reads go on.
test('while another process holds the database, this thread and its reads go on, and the write waits', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  const before = await add(opened.store, 1);
  using other = writer(place.file);
  let isDone = false;
  const waiting = add(opened.store, 2).then((added) => {
    isDone = true;
    return added;
  });
  let timers = 0;
  for (; timers < 20; timers += 1) {
    await pause(5);
    expect(await opened.store.get(before.comment.id)).toEqual(before.comment);
  }
  expect({ timers, isDone }).toEqual({ timers: 20, isDone: false });
  other.end();
  expect((await waiting).isNew).toBe(true);
});

test('a write that waits for another process too long is UNAVAILABLE, said once, and may come again', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  using other = writer(place.file);
  const both = await Promise.allSettled([add(opened.store, 1), add(opened.store, 2)]);
  expect(both).toMatchObject([
    { status: 'rejected', reason: { code: 'UNAVAILABLE' } },
    { status: 'rejected', reason: { code: 'UNAVAILABLE' } },
  ]);
  other.end();
  await Promise.all([add(opened.store, 1), add(opened.store, 2)]);
  expect(await opened.store.newest(streamId, 10)).toHaveLength(2);
  expect(opened.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "error the comments' database fails",
    "info the comments' database works again",
  ]);
});

// Goal: no queue without a bound. Method: nothing is written while another process holds the file; all that was admitted is done then.
test('when too many calls wait the next is OVERLOADED, and those before it are done', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  using other = writer(place.file);
  const outcomes = Array.from({ length: 4100 }, (_, number) =>
    add(opened.store, number).then(() => 'done', errorCodeOf),
  );
  const refused = await Promise.all(outcomes.slice(4000));
  expect(new Set(refused)).toEqual(new Set(['OVERLOADED']));
  other.end();
  expect(new Set(await Promise.all(outcomes.slice(0, 4000)))).toEqual(new Set(['done']));
});

// Goal: a dead thread costs what it had under way. Method: it is ended while another process holds the file, so that a write is with it.
test('when the thread dies, what it had under way is refused and another thread goes on', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  await add(opened.store, 1);
  using other = writer(place.file);
  const underWay = add(opened.store, 2);
  const refused = expect(underWay).rejects.toThrow(code('UNAVAILABLE', /interrupted, and may have done it/));
  const [thread] = opened.threads;
  await waitUntil('the second write is with the thread', () => thread?.orders.join() === 'write,write');
  await thread?.terminate();
  await refused;
  other.end();
  expect((await add(opened.store, 2)).isNew).toBe(true);
  expect(opened.threads).toHaveLength(2);
});

test('a file of a newer schema is refused with what to do', async () => {
  await using place = await temporaryFile();
  await (await open(place.file)).store.close();
  using database = new DatabaseSync(place.file);
  database.exec('PRAGMA user_version = 999');
  await expect(open(place.file)).rejects.toThrow(
    code('UNAVAILABLE', /has schema 999, and this node knows \d+ at most: start a newer version of Tangaza/),
  );
});

test.each([
  ['no database', (file: string) => writeFile(file, 'not a database, but a page of text'.repeat(1000))],
  ['cut off', (file: string) => truncate(file, 5000)],
])('a file that is %s is refused with what to do', async (_, spoil) => {
  await using place = await temporaryFile();
  await (await open(place.file)).store.close();
  await spoil(place.file);
  await expect(open(place.file)).rejects.toThrow(code('UNAVAILABLE', /is damaged .*: put back a copy of it/));
});

// Goal: what passes by itself stops no node. Method: a file stands where the folder should be, until it is removed.
test('a folder that cannot be made is told to calls, and used as soon as it can be', async () => {
  await using place = await temporaryFile();
  const inTheWay = join(place.folder, 'file');
  await writeFile(inTheWay, '');
  await using opened = await open(join(inTheWay, 'comments.sqlite'));
  await expect(add(opened.store, 1)).rejects.toThrow(
    code('UNAVAILABLE', /file\/comments\.sqlite, cannot be used/),
  );
  await rm(inTheWay);
  await waitUntil('a comment is taken', () =>
    add(opened.store, 1).then(
      () => true,
      () => false,
    ),
  );
  expect(opened.lines.map(({ level, message }) => `${level} ${message}`)).toContain(
    "error the comments' database fails",
  );
});

test('a file that another process holds as it is opened is opened when that one lets go', async () => {
  await using place = await temporaryFile();
  await (await open(place.file)).store.close();
  using other = writer(place.file);
  const threads: RecordedWorker[] = [];
  const opening = open(place.file, threads);
  await waitUntil('the first thread gave up', () => threads.length === 2);
  other.end();
  await using opened = await opening;
  expect((await add(opened.store, 1)).isNew).toBe(true);
});

// Method: the clock of acts is an hour behind and an hour ahead of that of the file.
test('a hide ahead is kept for 10 minutes, whatever the clock that acts go by', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  const hides = [-3_600_000, 3_600_000, 0].map((aheadMs, number) => {
    const atMs = Date.now() + aheadMs;
    return { body: commentBody({ number }), hiding: { by: 'operator', atMs } as const };
  });
  for (const { body, hiding } of hides) await opened.store.setHidden(body.id, hiding, hiding.atMs);
  const hidden: unknown[] = [];
  for (const { body } of hides) {
    const { comment } = await opened.store.add(body, { isHeld: false, nowMs: Date.now() });
    hidden.push(comment.hidden?.by);
  }
  expect({ hidden }).toEqual({ hidden: ['operator', 'operator', 'operator'] });
});

// Goal: what is erased is nowhere on the disk. Method: the bytes of all files of the database, while it is open.
test('the text of an erased user is in no file any more', async () => {
  await using place = await temporaryFile();
  await using opened = await open(place.file);
  const secret = 'what nobody shall read again';
  const authors = ['g-ada', 'g-ben'];
  for (let number = 0; number < 60; number += 1)
    await opened.store.add(commentBody({ number, text: secret, author: authors[number % 2] ?? '' }), {
      isHeld: false,
      nowMs: number,
    });
  const found = async (): Promise<number> => {
    const files = await readdir(place.folder);
    const texts = await Promise.all(files.map((name) => readFile(join(place.folder, name), 'latin1')));
    return texts.join('').split(secret).length - 1;
  };
  expect(await found()).toBeGreaterThan(0);
  for (const author of authors) await opened.store.eraseUser(UserId.parse(author), 1000);
  expect({ found: await found() }).toEqual({ found: 0 });
});

/** As the first version made its file, which had no threads yet. */
const firstSchema = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE comments (
    id TEXT NOT NULL UNIQUE, streamId TEXT NOT NULL, createdAtMs INTEGER NOT NULL, authorId TEXT NOT NULL,
    body TEXT NOT NULL, arrivedAtMs INTEGER NOT NULL, changedAtUs INTEGER NOT NULL,
    isHeld INTEGER NOT NULL, hiding TEXT, hidingAtMs INTEGER
  ) STRICT;
  CREATE TABLE hidesAhead (
    id TEXT PRIMARY KEY, hiding TEXT, hidingAtMs INTEGER NOT NULL, keptAtMs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE modes (
    streamId TEXT PRIMARY KEY, mode TEXT NOT NULL, slowSeconds INTEGER NOT NULL, atMs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit (
    streamId TEXT NOT NULL, atMs INTEGER NOT NULL, byId TEXT NOT NULL, act TEXT NOT NULL, onId TEXT NOT NULL, reason TEXT,
    PRIMARY KEY (streamId, atMs, byId, act, onId)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
`;

test('a file of the first schema is taken on, its answers as a thread', async () => {
  await using place = await temporaryFile();
  const root = commentBody({ number: 1 });
  const answer = commentBody({ number: 2, to: root });
  const deeper = commentBody({ number: 3, to: answer });
  const cells = ({ author, clientId, text, parentId, rootId, path, region }: CommentBody): string =>
    JSON.stringify({ name: author.name, clientId, text, parentId, rootId, path, region });
  const old = new DatabaseSync(place.file);
  old.exec(firstSchema);
  for (const [turn, body] of [deeper, root, answer].entries())
    old
      .prepare('INSERT INTO comments VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL)')
      .run(body.id, body.streamId, body.createdAtMs, body.author.id, cells(body), 1, 1000 + turn);
  old.close();
  await using opened = await open(place.file);
  const thread = await opened.store.thread({ root: root.id, parent: root, limit: 10 });
  const deep = await opened.store.thread({ root: root.id, after: answer, limit: 10 });
  expect({ thread, deep }).toMatchObject({
    thread: [{ ...answer, arrivedAtMs: 1.002, changedAtMs: 1.002 }],
    deep: [deeper],
  });
  expect(await opened.store.replies([root.id, answer.id])).toEqual(
    new Map([
      [root.id, 2],
      [answer.id, 1],
    ]),
  );
});
