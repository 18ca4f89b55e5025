/** What the registry in SQLite does beyond its port's contract (test/contract/stream-registry.test.ts). */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openSqliteStreamRegistry } from '../../../actors/control/stream-registry.sqlite.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../support/ports/stores/registry-process.ts');
const id = StreamId.parse('one');
const stream = (name: string, nowMs: number) => ({
  id: StreamId.parse(name),
  title: `title of ${name}`,
  ladder: 'default',
  keyHash: `hash-${name}`,
  keySalt: `salt-${name}`,
  nowMs,
});

function openTemporary() {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-registry-'));
  const file = join(folder, 'tangaza.sqlite');
  const registry = openSqliteStreamRegistry(file, systemClock);
  return {
    file,
    registry,
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Another process that has begun to write. */
function writer(file: string) {
  const database = new DatabaseSync(file);
  database.exec('BEGIN IMMEDIATE');
  return {
    end: () => database.exec('ROLLBACK'),
    [Symbol.dispose]: () => database.close(),
  };
}

test('a refused id says since when and until when it is taken', async () => {
  await using temporary = openTemporary();
  const { registry } = temporary;
  const removedAtMs = 100 * 86_400_000;
  await registry.create(stream('one', 1));
  await registry.remove(id, removedAtMs);
  await expect(registry.create(stream('one', removedAtMs + 1))).rejects.toThrow(
    /There was a stream one, removed on 1970-04-11: its id stays taken until 1970-05-11/,
  );
});

test('a file of a version that kept no fingerprints is taken on with its keys', async () => {
  await using temporary = openTemporary();
  const old = new DatabaseSync(temporary.file);
  old.exec('ALTER TABLE idempotency DROP COLUMN fingerprint');
  old.exec("INSERT INTO idempotency (key, streamId, atMs) VALUES ('abc', 'one', 1)");
  old.close();
  await temporary.registry.create(stream('one', 1));
  const registry = openSqliteStreamRegistry(temporary.file, systemClock);
  const made = await registry.create({ ...stream('two', 2), request: { key: 'abc', fingerprint: 'any' } });
  expect(made.entry.id).toBe('one');
  await registry.close();
});

// As it once was: SQLite waited for the other process, and this one stood still meanwhile, viewers and all.
test('while another process writes this one goes on, reads at once, and writes when the other is done', async () => {
  await using temporary = openTemporary();
  const { registry, file } = temporary;
  await registry.create(stream('one', 1));
  using other = writer(file);
  const written = registry.update(id, { title: 'changed' }, 2).then(() => 'written');
  expect((await registry.get(id))?.title).toBe('title of one');
  const waiting = systemClock.sleep(100).then(() => 'waiting');
  expect(await Promise.race([written, waiting])).toBe('waiting');
  other.end();
  await written;
  expect((await registry.get(id))?.title).toBe('changed');
});

test('a file that stays locked, or is closed, is UNAVAILABLE, and nothing of it is done', async () => {
  await using temporary = openTemporary();
  const { registry, file } = temporary;
  using other = writer(file);
  const codes = await Promise.all([
    registry.create(stream('one', 1)).then(() => 'made', errorCodeOf),
    registry.claim({ key: 'k', fingerprint: 'f' }, 1).then(() => 'made', errorCodeOf),
  ]);
  expect(codes).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  other.end();
  expect(await registry.get(id)).toBeUndefined();
  await registry.close();
  expect(await registry.get(id).then(() => 'answered', errorCodeOf)).toBe('UNAVAILABLE');
});

// As it once was: INTERNAL, as SQLite had rolled back by itself and refused to do it again. Method: a real file system of 2 MB in a mount namespace of
// its own.
test('on a full disk nothing is changed, who asks is told so, all can be read, and it is over once there is room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tangaza-registry-'));
  const mount = `mount -t tmpfs -o size=2m none '${folder}' && exec "$@"`;
  const node = [process.execPath, script, join(folder, 'tangaza.sqlite')];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', ...node]);
  rmSync(folder, { recursive: true });
  const { made, ...result } = JSON.parse(stdout);
  expect(made).toBeGreaterThan(10);
  expect(result).toEqual({
    code: 'STORE_FULL',
    removed: 'STORE_FULL',
    isRead: true,
    afterwards: 'made',
    lost: 0,
  });
});
