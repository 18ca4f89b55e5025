/** `tangaza token create` and `keys` as their users run them, and what a node makes of its tokens (A13). */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { composeIdentity } from '../../../actors/comments/identity/identity.composition.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { ensureTokenKeys, loadTokenKeys } from '../../../config/token-keys.disk.ts';
import { runCli } from '../../support/cluster/cli.ts';

async function makeRegion() {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-token-'));
  const keys = join(path, 'token-keys.json');
  const regions = [RegionId.parse('region-1'), RegionId.parse('region-2')];
  ensureTokenKeys(keys, regions);
  const tokenKeys = loadTokenKeys(keys, path, RegionId.parse('region-2'));
  const identity = await composeIdentity({ tokenKeys, accounts: undefined, clock, logger, metrics });
  const run = (...args: readonly string[]) =>
    runCli(['token', 'create', ...args], '', { TANGAZA_TOKEN_KEYS: '' });
  const whoIs = (bearer: string) => identity.identify({ network: '192.0.2.1', isOperator: false, bearer });
  return { path, keys, run, whoIs, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('a token that it makes is that of a moderator, in another region as well', async () => {
  await using region = await makeRegion();
  const { code, stdout, stderr } = await region.run(
    '--name',
    'Mo',
    '--moderator',
    '--account',
    'mo',
    '--data',
    region.path,
  );
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining('Mo (a-mo) may comment, comment.hide'),
  });
  expect(await region.whoIs(stdout.trim())).toMatchObject({
    user: { id: 'a-mo', name: 'Mo', kind: 'account' },
    permissions: ['comment.hide', 'comment.release', 'user.ban', 'stream.mode', 'audit.read'],
  });
});

test('with --json it says what a node makes of the token', async () => {
  await using region = await makeRegion();
  const single = ['--permission', 'user.ban', '--permission', 'comment.hide'];
  const { stdout } = await region.run(
    '--name',
    'Mo',
    ...single,
    '--stream',
    'news',
    '--json',
    '--keys',
    region.keys,
  );
  const { token, ...told } = JSON.parse(stdout);
  expect(told).toMatchObject({ permissions: ['comment.hide', 'user.ban'], stream: 'news' });
  const { expiresAt: _, ...known } = await region.whoIs(token);
  expect(told).toMatchObject(known);
});

// Goal: the example of the page makes tokens that count. Method: it is cut out of the page and run as it stands there.
test('the tokens that the README shows how to make are those of accounts', async () => {
  await using region = await makeRegion();
  const root = join(import.meta.dirname, '../../..');
  const [, example = ''] =
    /```js\n(import[^]*?)```/.exec(await readFile(join(root, 'actors/comments/README.md'), 'utf8')) ?? [];
  const args = ['--input-type=module', '-e', `${example}\nconsole.log(token);`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const [keys = '', token = ''] = stdout.split('\n');
  const file = join(region.path, 'accounts.json');
  await writeFile(file, keys);
  const accounts = { keys: file, issuer: 'https://shop.example', audience: 'tangaza' };
  const tokenKeys = loadTokenKeys(region.keys, region.path, RegionId.parse('region-1'));
  const identity = await composeIdentity({ tokenKeys, accounts, clock, logger, metrics });
  expect(await identity.identify({ network: '192.0.2.1', isOperator: false, bearer: token })).toMatchObject({
    user: { id: 'a-user-4711', name: 'Amina', kind: 'account' },
    permissions: expect.arrayContaining(['comment.hide']),
  });
});

test.each([
  ['no name', []],
  ['a name that nobody sees', ['--name', '\u200B']],
  ['a stream that is none', ['--name', 'Mo', '--stream', '../x']],
  ['a permission that is none', ['--name', 'Mo', '--permission', 'fly']],
  ['no time at all', ['--name', 'Mo', '--hours', '0']],
  ['keys that are not there', ['--name', 'Mo', '--keys', '/nowhere/keys.json']],
])('with %s it ends with exit code 2 and a sentence', async (_, args) => {
  await using region = await makeRegion();
  const { code, stdout, stderr } = await region.run('--data', region.path, ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/\w/);
  expect(stderr).not.toContain('    at ');
});

// As it once was: a second region wanted a file with its key in it, and nothing made one but the demo.
test('the file of keys for several regions is made, and a region that comes later is added to it', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-token-'));
  const keys = join(path, 'keys.json');
  const make = (regions: string) => runCli(['token', 'keys', '--keys', keys, '--regions', regions], '');
  const kidOf = (region: string) => loadTokenKeys(keys, path, RegionId.parse(region)).signing.kid;
  const { code, stdout } = await make('eu,us');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining('a key of eu, us and the secret'),
  });
  const before = [kidOf('eu'), kidOf('us')];
  expect((await make('eu,us,asia')).code).toBe(0);
  expect({ after: [kidOf('eu'), kidOf('us')], isNew: before.includes(kidOf('asia')) }).toEqual({
    after: before,
    isNew: false,
  });
  expect(loadTokenKeys(keys, path, RegionId.parse('asia')).shared).toHaveLength(43);
  expect(await make('eu,Not a name')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--regions: Not a name: '),
  });
  await rm(path, { recursive: true });
});
