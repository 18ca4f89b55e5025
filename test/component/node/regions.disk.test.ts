/** The file of the regions, and what must be there with it (R1). */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RegionId } from '../../../cluster/model/ids.ts';
import { topologyOfOne } from '../../../cluster/region/topology/topology.ts';
import { ConfigError } from '../../../config/config.ts';
import { loadTopology } from '../../../config/regions.disk.ts';
import { loadSecrets, loadSharedSecrets, secretsFileIn } from '../../../config/secrets.disk.ts';

const own = RegionId.parse('eu');
const shared = { region: own, secretsFile: 'secrets.json', tokenKeysFile: 'keys.json' };
const examples = join(import.meta.dirname, '../../../config/regions');
const pem = '-----BEGIN CERTIFICATE-----\n';

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-regions-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function faultsOf(load: () => unknown): readonly string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('without a file a node is in one region', () => {
  expect(loadTopology({ ...shared, regionsFile: undefined })).toEqual(topologyOfOne(own));
});

test.each(['two-regions.json', 'three-regions.json'])(
  'the example %s is sound, but for the files that it names',
  (name) => {
    const faults = faultsOf(() => loadTopology({ ...shared, regionsFile: join(examples, name) }));
    expect(faults).not.toEqual([]);
    for (const fault of faults)
      expect(fault).toMatch(/^TANGAZA_REGIONS: the \w+ of region (us|ap): .*ENOENT/);
  },
);

// Goal: an operator sees at once what is missing on a host. Method: a file that names one file that is not there, one that is empty and
// one that is no certificate, and a node that names neither secrets nor keys.
test('all files that a node lacks for the other regions are told at once, and what all regions share', async () => {
  await using folder = await makeFolder();
  const regionsFile = join(folder.path, 'regions.json');
  const gateway = { nats: ['tls://nats.example:4222'], ca: 'ca.pem', cert: 'c.pem', key: 'k.pem' };
  const regions = [
    { id: 'eu', ordinal: 0, gateway: { ...gateway, ca: 'nobody-reads-this.pem' } },
    { id: 'us', ordinal: 1, gateway: { ...gateway, credentials: 'creds' } },
  ];
  await writeFile(regionsFile, JSON.stringify({ version: 1, regions }));
  await writeFile(join(folder.path, 'ca.pem'), pem);
  await writeFile(join(folder.path, 'k.pem'), 'no key');
  await writeFile(join(folder.path, 'creds'), '\n');
  const bare = { ...shared, secretsFile: undefined, tokenKeysFile: undefined, regionsFile };
  expect(faultsOf(() => loadTopology(bare))).toEqual([
    expect.stringMatching(/^TANGAZA_REGIONS: the cert of region us: .*c\.pem cannot be read: ENOENT/),
    expect.stringMatching(/^TANGAZA_REGIONS: the key of region us: .*k\.pem is no PEM file/),
    expect.stringMatching(/^TANGAZA_REGIONS: the credentials of region us: .*creds is empty/),
    expect.stringMatching(/^TANGAZA_SECRETS: several regions share one file of secrets/),
    expect.stringMatching(/^TANGAZA_TOKEN_KEYS: a region must know the keys/),
  ]);
  await writeFile(join(folder.path, 'c.pem'), pem);
  await writeFile(join(folder.path, 'k.pem'), pem);
  await writeFile(join(folder.path, 'creds'), 'user\npassword\n');
  expect(loadTopology({ ...shared, regionsFile }).regions.map(({ id }) => id)).toEqual(['eu', 'us']);
});

test('a file that is away, or no file of regions, is refused with its name', async () => {
  await using folder = await makeFolder();
  const regionsFile = join(folder.path, 'regions.json');
  const load = (): unknown => loadTopology({ ...shared, regionsFile });
  expect(faultsOf(load)).toEqual([
    expect.stringMatching(/^TANGAZA_REGIONS: .*regions\.json cannot be read: ENOENT/),
  ]);
  await writeFile(regionsFile, JSON.stringify({ version: 1, regions: [{ id: 'us', ordinal: 0 }] }));
  expect(faultsOf(load)).toEqual([expect.stringMatching(/regions\.json: regions: none is "eu"/)]);
});

test('secrets that all regions share are read and never made', async () => {
  await using folder = await makeFolder();
  const file = secretsFileIn(folder.path);
  expect(() => loadSharedSecrets(file, folder.path)).toThrow(
    /^TANGAZA_SECRETS: .* cannot be read as secrets/,
  );
  const { operatorToken, streamKeySecret } = loadSecrets(folder.path);
  expect(loadSharedSecrets(file, '/nowhere')).toEqual({ operatorToken, streamKeySecret });
  const named = join(folder.path, 'shared.json');
  await writeFile(named, JSON.stringify({ operatorToken, streamKeySecret: 'short' }));
  expect(() => loadSharedSecrets(named, folder.path)).toThrow(/give the file that the other nodes have/);
});

// As it once was: whoever might not read them was told to remove them, and with them the keys of all streams. Method: a folder cannot be read as a
// file, by whatever user.
test('secrets that cannot be read are not said to be none, and what is damaged says what removing it ends', async () => {
  await using unreadable = await makeFolder();
  await mkdir(secretsFileIn(unreadable.path));
  expect(() => loadSecrets(unreadable.path)).toThrow(
    /secrets\.json, the secrets of the region, cannot be read \(.*\): run as the user who made it/,
  );
  await using damaged = await makeFolder();
  await writeFile(secretsFileIn(damaged.path), '{}');
  expect(() => loadSecrets(damaged.path)).toThrow(
    /restore it, or remove it to make new ones, which ends .* the keys of all streams/,
  );
});
