/** The file of the keys that sign tokens: made once, shared by nodes, and never half read (A13). */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RegionId } from '../../../cluster/model/ids.ts';
import {
  ensureTokenKeys,
  loadTokenKeys,
  newKey,
  signingKeyIn,
  tokenKeysName,
} from '../../../config/token-keys.disk.ts';
import { UnusableError } from '../../../config/unusable.ts';
import { runCli } from '../../support/cluster/cli.ts';

const [r1, r2, r3] = [RegionId.parse('r1'), RegionId.parse('r2'), RegionId.parse('r3')];

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-keys-'));
  return { path, file: join(path, 'keys.json'), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const script = `import { loadTokenKeys } from '${join(import.meta.dirname, '../../../config/token-keys.disk.ts')}';
process.stdout.write(loadTokenKeys(undefined, process.argv[1], 'r1').signing.kid);`;

// Goal: nodes of a region that start at once sign with one key. Method: four processes make it in one folder.
test('nodes that start at once have the same key, which only its owner may read', async () => {
  await using folder = await makeFolder();
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, folder.path]);
  const kids = (await Promise.all([run(), run(), run(), run()])).map(({ stdout }) => stdout);
  expect(new Set(kids)).toEqual(new Set([loadTokenKeys(undefined, folder.path, r1).signing.kid]));
  const { mode } = await stat(join(folder.path, tokenKeysName));
  expect((mode & 0o777).toString(8)).toBe('600');
  expect(await readdir(folder.path)).toEqual([tokenKeysName]);
});

test('a file for several regions is made once, and a region that is new gets a key beside the others', async () => {
  await using folder = await makeFolder();
  ensureTokenKeys(folder.file, [r1, r2]);
  const before = [r1, r2].map((region) => loadTokenKeys(folder.file, folder.path, region).signing.kid);
  ensureTokenKeys(folder.file, [r1, r2, r3]);
  const after = [r1, r2].map((region) => loadTokenKeys(folder.file, folder.path, region).signing.kid);
  expect(after).toEqual(before);
  expect(new Set(after).size).toBe(2);
  expect(loadTokenKeys(folder.file, folder.path, r3).known).toHaveLength(3);
  expect(signingKeyIn(folder.file).kid).toBe(before[0]);
});

test('all regions of a file share one secret, which stays when a region is added, and is added where there was none', async () => {
  await using folder = await makeFolder();
  await writeFile(folder.file, JSON.stringify({ keys: [newKey(r1)] }));
  const sharedBy = (regions: readonly RegionId[]) => {
    ensureTokenKeys(folder.file, regions);
    return regions.map((region) => loadTokenKeys(folder.file, folder.path, region).shared);
  };
  const secrets = [...sharedBy([r1]), ...sharedBy([r1, r2]), ...sharedBy([r1, r2, r3])];
  expect({ different: new Set(secrets).size, length: secrets[0]?.length }).toEqual({
    different: 1,
    length: 43,
  });
  expect(loadTokenKeys(undefined, folder.path, r1).shared).toHaveLength(43);
});

test.each<[string, string | undefined]>([
  ['is not there', undefined],
  ['is empty', ''],
  ['holds only the key of another region', JSON.stringify({ keys: [newKey(r2)] })],
])('a file that %s stops the start, and the reason names it', async (_, text) => {
  await using folder = await makeFolder();
  if (text !== undefined) await writeFile(folder.file, text);
  const load = (): unknown => loadTokenKeys(folder.file, folder.path, r1);
  expect(load).toThrow(UnusableError);
  expect(load).toThrow(folder.file);
});

test("a region's own file that was damaged is told, and not made anew", async () => {
  await using folder = await makeFolder();
  const own = join(folder.path, tokenKeysName);
  await writeFile(own, '{"keys":');
  expect(() => loadTokenKeys(undefined, folder.path, r1)).toThrow('or remove it to make a new one');
  expect(await readFile(own, 'utf8')).toBe('{"keys":');
});

const issuer = { TANGAZA_ACCOUNT_ISSUER: 'i', TANGAZA_ACCOUNT_AUDIENCE: 'a' };

test.each([
  ['TANGAZA_TOKEN_KEYS', {}],
  ['TANGAZA_ACCOUNT_KEYS', issuer],
])('a node whose %s cannot be read ends with exit code 2 and a sentence', async (name, more) => {
  await using folder = await makeFolder();
  const env = { ...more, [name]: folder.file, TANGAZA_DATA_DIR: join(folder.path, 'data') };
  const { code, stderr } = await runCli(['node'], 'x'.repeat(16), env);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(folder.file) });
  expect(stderr).not.toContain('    at ');
});
