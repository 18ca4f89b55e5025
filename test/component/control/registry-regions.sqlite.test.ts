/** Two regions with a registry each: streams, keys and removals of one are known in the other (R12). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { IdempotentRequest } from '../../../actors/control/idempotency.ts';
import { registryChanges } from '../../../cluster/contract/regions/registry.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { MemoryRegions } from '../../support/regions/memory-regions.ts';
import { startRegistryRegion, type RegionOptions } from '../../support/regions/registry-region.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

type Region = ReturnType<typeof startRegistryRegion>;

const one = StreamId.parse('one');
const none = StreamId.parse('none');
const anything = z.unknown();

function startTwo(options: { readonly eu?: RegionOptions; readonly us?: RegionOptions } = {}) {
  const joined = new MemoryRegions({ regions: ['eu', 'us'] });
  const eu = startRegistryRegion(joined, 'eu', options.eu);
  const us = startRegistryRegion(joined, 'us', options.us);
  return {
    joined,
    eu,
    us,
    cut: () => ['eu us', 'us eu'].forEach((link) => joined.cut(...sides(link))),
    heal: () => ['eu us', 'us eu'].forEach((link) => joined.heal(...sides(link))),
    [Symbol.asyncDispose]: async () => {
      for (const region of [eu, us]) await region[Symbol.asyncDispose]();
    },
  };
}

/** Makes the stream `one` in both regions during a cut: first in us with the key `earlier`, then in eu with `later`. */
async function makeInBoth(
  { cut, heal, eu, us }: ReturnType<typeof startTwo>,
  request?: IdempotentRequest,
): Promise<void> {
  await bothRead(eu, us);
  cut();
  const { entry } = await us.create('one', 'earlier');
  await waitUntil('a later moment', () => eu.clock.utcMs() > entry.createdAtMs);
  await eu.create('one', 'later', request);
  heal();
}

function sides(link: string): readonly [string, string] {
  const [from = '', to = ''] = link.split(' ');
  return [from, to];
}

const codeOf = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => 'an answer',
    (error: unknown) => errorCodeOf(error),
  );
const bothRead = async (...regions: readonly Region[]): Promise<void> => {
  for (const { file } of regions)
    await waitUntil('the other region was read to its end', async () =>
      [...(await file.pulled()).values()].every(({ isWhole }) => isWhole),
    );
};
/** What a region takes of another one when it asks once, whether or not the link works. @returns the ids */
async function take({ file, clock }: Region, from: Region): Promise<readonly StreamId[]> {
  const query = await file.cursor(RegionId.parse('eu'));
  const answer = await from.file.changes(query);
  await file.take(RegionId.parse('eu'), answer, clock.utcMs());
  return answer.changes.map(({ id }) => id).toSorted();
}
const titleIn = ({ file }: Region) => file.get(one).then((entry) => entry?.title);

test('a stream that is made in one region is there in the other, and its key is good there at once', async () => {
  await using regions = startTwo();
  const { eu, us } = regions;
  await bothRead(eu, us);
  const { entry } = await eu.create('one');
  expect(await us.registry.findByKeyHash('key of one')).toEqual(entry);
  await us.registry.update(one, { title: 'new' }, us.clock.utcMs());
  await waitFor(
    'the title is known in eu',
    () => titleIn(eu),
    (title) => title === 'new',
  );
  await eu.registry.remove(one, eu.clock.utcMs());
  await waitFor(
    'the stream is gone in us',
    () => us.file.get(one),
    (found) => found === undefined,
  );
  expect(await us.registry.removed(one, us.clock.utcMs())).toBeDefined();
  expect(us.closed).toEqual([expect.objectContaining({ streamId: 'one', code: 'STREAM_REMOVED' })]);
});

// Goal: what exists nowhere costs nothing between regions.
test('of 10,000 requests for streams that exist nowhere none crosses while the other region was just read', async () => {
  await using regions = startTwo();
  const { eu, us } = regions;
  await bothRead(eu, us);
  const found = new Set<unknown>();
  for (let asked = 0; asked < 10_000; asked += 1)
    found.add(await us.registry.get(StreamId.parse(`nowhere-${asked}`)));
  expect({ found: [...found], crossed: us.asked.length }).toEqual({ found: [undefined], crossed: 0 });
});

test('what is unknown here is UNAVAILABLE as long as another region was never read, and not there after that', async () => {
  await using regions = startTwo();
  const { cut, heal, us } = regions;
  cut();
  expect(await codeOf(us.registry.get(none))).toBe('UNAVAILABLE');
  expect(await codeOf(us.registry.findByKeyHash('key of none'))).toBe('UNAVAILABLE');
  expect(await codeOf(us.registry.remove(none, us.clock.utcMs()))).toBe('UNAVAILABLE');
  await us.create('own');
  expect(await us.registry.findByKeyHash('key of own')).toBeDefined();
  heal();
  await bothRead(us);
  expect(await us.registry.get(none)).toBeUndefined();
  expect(await us.registry.findByKeyHash('key of none')).toBeUndefined();
});

test('of two streams of one id, made during a cut, the earlier stays, and who publishes the other is closed', async () => {
  await using regions = startTwo();
  const { eu, us } = regions;
  await makeInBoth(regions);
  await waitFor(
    'eu has the earlier one',
    () => eu.file.findByKeyHash('earlier'),
    (found) => found !== undefined,
  );
  await waitUntil('publishers were closed', () => eu.closed.length > 0);
  const late = { eu: await eu.registry.findByKeyHash('later'), us: await us.registry.findByKeyHash('later') };
  expect({ ...late, euClosed: eu.closed.length, usClosed: us.closed.length }).toEqual({
    eu: undefined,
    us: undefined,
    euClosed: 1,
    usClosed: 0,
  });
});

// Goal: whoever lost a stream id knows it: the operator by one warning in the log of that region, the owner of the key wherever it is used, and
// who repeats the request that made it. Method: both regions make it during a cut. The key is used in the other region first, which
// may have read only what remained.
test('of two streams of one id the loss of the later is said once, and to who uses its key or repeats its creation', async () => {
  await using regions = startTwo();
  const { eu, us } = regions;
  const request = { key: 'of the request', fingerprint: 'f' };
  await makeInBoth(regions, request);
  await waitUntil('publishers were closed', () => eu.closed.length > 0);
  await eu.create('two');
  await waitFor(
    'us has read what eu has',
    () => us.file.get(StreamId.parse('two')),
    (found) => found !== undefined,
  );
  const known: unknown[] = [];
  for (const { registry, clock } of [us, eu]) {
    await registry.findByKeyHash('later');
    known.push(await registry.removedWithKeyHash('later', clock.utcMs()));
  }
  const lost = { id: one, removedAtMs: expect.any(Number), hasLostId: true };
  const said = ({ warned }: Region) => warned.filter((facts) => 'streams' in facts);
  expect({ known, eu: said(eu), us: said(us), closed: eu.closed }).toEqual({
    known: [lost, lost],
    eu: [{ region: 'us', streams: ['one'] }],
    us: [],
    closed: [expect.objectContaining({ streamId: 'one', code: 'STREAM_REMOVED' })],
  });
  expect(await codeOf(eu.create('one', 'later again', request))).toBe('CONFLICT');
});

// Goal: nothing that one region did during a cut undoes what the other one took away.
test('a key that was changed and a stream that was removed during a cut are good in neither region after it', async () => {
  await using regions = startTwo();
  const { cut, heal, eu, us } = regions;
  await bothRead(eu, us);
  await eu.create('one');
  await eu.create('two');
  const two = StreamId.parse('two');
  await waitFor(
    'us knows both',
    () => us.file.list(10),
    (streams) => streams.length === 2,
  );
  cut();
  const rotated = { keyHash: 'new key', keySalt: 'new salt' };
  await eu.registry.rotateKey(one, rotated, eu.clock.utcMs());
  await eu.registry.remove(two, eu.clock.utcMs());
  await us.registry.update(two, { title: 'not knowing' }, us.clock.utcMs() + 1);
  heal();
  await waitFor(
    'us has the new key',
    () => us.file.findByKeyHash('new key'),
    (found) => found?.id === one,
  );
  await waitUntil('publishers were closed', () => us.closed.length === 2);
  const good = {
    oldKeyOfOne: await us.registry.findByKeyHash('key of one'),
    two: await us.registry.get(two),
    twoInEu: await eu.registry.get(two),
  };
  expect(good).toEqual({ oldKeyOfOne: undefined, two: undefined, twoInEu: undefined });
  expect(await codeOf(us.create('two', 'another'))).toBe('CONFLICT');
});

// Method: eu loses its folder and starts with an empty one.
test('a region that has lost its registry reads the other one from its beginning, and is read anew', async () => {
  await using regions = startTwo();
  const { joined, cut, heal, eu, us } = regions;
  await bothRead(eu, us);
  await eu.create('one');
  await waitFor(
    'us knows it',
    () => titleIn(us),
    (title) => title !== undefined,
  );
  cut();
  await eu.stop();
  joined.leave('eu', 'n1');
  await using anew = startRegistryRegion(joined, 'eu');
  await anew.create('two');
  heal();
  await waitFor(
    'eu knows it again',
    () => titleIn(anew),
    (title) => title === 'title of one',
  );
  await waitFor(
    'us knows what was made after that',
    () => us.file.list(10),
    (all) => all.length === 2,
  );
});

// Method: us has read two streams more than the backup has. What eu writes after that gets their numbers, and more.
test('a registry that was put back from a backup tells what it wrote then, though its numbers have overtaken its reader', async () => {
  await using regions = startTwo();
  const { joined, cut, eu, us } = regions;
  await bothRead(eu, us);
  cut();
  await eu.create('one');
  await eu.stop();
  const backup = readFileSync(join(eu.folder, 'tangaza.sqlite'));
  await using before = startRegistryRegion(joined, 'eu', eu);
  for (const id of ['two', 'three']) await before.create(id);
  await take(us, before);
  await before.stop();
  writeFileSync(join(eu.folder, 'tangaza.sqlite'), backup);
  await using after = startRegistryRegion(joined, 'eu', eu);
  await after.registry.remove(one, after.clock.utcMs());
  for (const id of ['four', 'five', 'six']) await after.create(id);
  expect(await take(us, after)).toEqual(['five', 'four', 'one', 'six']);
  expect(await us.file.get(one)).toBeUndefined();
});

test('a registry that was only opened again tells nothing twice', async () => {
  await using regions = startTwo();
  const { joined, cut, eu, us } = regions;
  await bothRead(eu, us);
  cut();
  await eu.create('one');
  await take(us, eu);
  await eu.stop();
  await using again = startRegistryRegion(joined, 'eu', eu);
  await again.create('two');
  expect(await take(us, again)).toEqual(['two']);
  expect(await take(us, again)).toEqual([]);
});

test('an answer that is garbage, or of a time far ahead, is not taken, and the next good one is', async () => {
  await using regions = startTwo();
  const { joined, eu, us } = regions;
  await bothRead(eu, us);
  const farAheadMs = us.clock.utcMs() + 3_600_000;
  const nonsense = {
    databaseId: 'x',
    changes: [{ kind: 'removed', id: one, atMs: farAheadMs, keyHash: 'k' }],
  };
  let asked = 0;
  const stop = joined.of('eu').serve({ ...registryChanges, result: anything }, async () => {
    asked += 1;
    return asked % 2 === 0 ? { ...nonsense, toSeq: 9, isAll: true } : nonsense;
  });
  await eu.create('one');
  await waitUntil('both were told', () => asked >= 2);
  expect(await us.file.removed(one, us.clock.utcMs())).toBeUndefined();
  stop();
  joined.of('eu').serve(registryChanges, (query) => eu.file.changes(query));
  await waitFor(
    'us knows the stream',
    () => titleIn(us),
    (title) => title === 'title of one',
  );
});

// Method: the clock of us is 30 s behind, as its link has measured. What it writes last is last all the same.
test('of two titles, the one that was given last stays, also from a region whose clock is 30 s behind', async () => {
  await using regions = startTwo({ us: { aheadMs: -30_000 } });
  const { cut, heal, eu, us } = regions;
  await bothRead(eu, us);
  await eu.create('one');
  await waitFor(
    'us knows it',
    () => titleIn(us),
    (title) => title !== undefined,
  );
  cut();
  await eu.registry.update(one, { title: 'first' }, eu.clock.utcMs());
  const firstAtMs = eu.clock.utcMs();
  await waitUntil('a later moment', () => eu.clock.utcMs() > firstAtMs + 5);
  await us.registry.update(one, { title: 'last' }, us.clock.utcMs());
  heal();
  await waitFor(
    'eu has the last one',
    () => titleIn(eu),
    (title) => title === 'last',
  );
  expect(await titleIn(us)).toBe('last');
});

test('streams and removals from before there were regions are known in the other region', async () => {
  const joined = new MemoryRegions({ regions: ['eu', 'us'] });
  await using us = startRegistryRegion(joined, 'us');
  await us.create('one');
  await us.stop();
  const old = new DatabaseSync(join(us.folder, 'tangaza.sqlite'));
  old.exec('DROP TRIGGER removedForgotten; DROP TABLE changes; DROP TABLE pulls; DROP TABLE state');
  for (const table of ['streams', 'removed'])
    for (const act of ['INSERT', 'UPDATE']) old.exec(`DROP TRIGGER ${table}Changed${act}`);
  for (const column of ['afterRemovalMs', 'createdKeyHash', 'titleAtMs', 'ladderAtMs', 'keyAtMs'])
    old.exec(`ALTER TABLE streams DROP COLUMN ${column}`);
  old.exec(`INSERT INTO removed (id, keyHash, removedAtMs) VALUES ('none', 'key of none', ${Date.now()})`);
  old.close();
  await using again = startRegistryRegion(joined, 'us', { folder: us.folder });
  await using eu = startRegistryRegion(joined, 'eu');
  await waitFor(
    'eu knows the stream',
    () => titleIn(eu),
    (title) => title === 'title of one',
  );
  await waitFor(
    'eu knows the removal',
    () => eu.file.removed(none, eu.clock.utcMs()),
    (found) => found !== undefined,
  );
  expect(await again.file.get(one)).toEqual(await eu.file.get(one));
});
