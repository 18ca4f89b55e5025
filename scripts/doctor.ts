/**
 * Says in words what this machine lacks. The wanted versions are read from `scripts/setup`, so that what is installed and what is asked for
 * cannot differ.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const purposes = ['start', 's3', 'cassandra', 'test', 'bench'] as const;
export type Purpose = (typeof purposes)[number];

/** One thing that is needed, and whether it is there. */
export interface Check {
  readonly name: string;
  /** What it is needed for. */
  readonly why: string;
  readonly state: 'ok' | 'old' | 'missing';
  /** The version or place that was found; empty when there is none. */
  readonly found: string;
  readonly wanted: string;
  /** What to do; empty when all is well. */
  readonly remedy: string;
}

interface Need {
  readonly name: string;
  readonly why: string;
  readonly for: readonly Purpose[];
  /** The lowest version, or words. */
  readonly wanted: string;
  readonly remedy: string;
  /** The version or place that was found; undefined when there is none, '' when it gives no version. */
  readonly find: () => Promise<string | undefined>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const timeoutMs = 10_000;
const leastFreeBytes = 2 * 1024 ** 3;
const setUp = 'run: sh scripts/setup';

/** Checks this machine for what the purposes need. Nothing in it runs longer than 10 s, and it changes nothing. */
export async function inspect(...purposes: readonly Purpose[]): Promise<readonly Check[]> {
  const needs = needsOf(pinnedVersions(readFileSync(join(root, 'scripts/setup'), 'utf8')));
  const wanted = needs.filter((need) => need.for.some((one) => purposes.includes(one)));
  return Promise.all(wanted.map(async (need) => judge(need, await need.find())));
}

/** The upper-case settings at the head of `scripts/setup` that are versions. */
export function pinnedVersions(setup: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...setup.matchAll(/^([A-Z_]+)=([\d.]+)$/gm)].map(([, name = '', version = '']) => [name, version]),
  );
}

/** Judges a need by what was found. Pure. */
export function judge(
  need: Pick<Need, 'name' | 'why' | 'wanted' | 'remedy'>,
  found: string | undefined,
): Check {
  const { name, why, wanted, remedy } = need;
  if (found === undefined) return { name, why, wanted, found: '', state: 'missing', remedy };
  const isOld = /^\d/.test(wanted) && /^\d/.test(found) && !isAtLeast(wanted, found);
  return { name, why, wanted, found, state: isOld ? 'old' : 'ok', remedy: isOld ? remedy : '' };
}

/** Compares dotted numbers part by part. */
export function isAtLeast(least: string, actual: string): boolean {
  const [wanted, given] = [least, actual].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10) || 0),
  );
  for (const [index, part] of (wanted ?? []).entries()) {
    const other = given?.[index] ?? 0;
    if (other !== part) return other > part;
  }
  return true;
}

/** The checks as lines for a person. The last line is the conclusion. */
export function describeChecks(checks: readonly Check[], purpose: Purpose): readonly string[] {
  const bad = checks.filter(({ state }) => state !== 'ok');
  const lines = checks.map(({ name, why, state, found, wanted, remedy }) =>
    state === 'ok'
      ? `ok       ${name}${found === '' ? '' : `: ${found}`}`
      : `${state.padEnd(8)} ${name}: ${state === 'old' ? `${found} is older than ${wanted}` : `needed ${why}`}; ${remedy}`,
  );
  const conclusion =
    bad.length === 0
      ? `Nothing is missing for '${purpose}'.`
      : `Missing for '${purpose}': ${bad.map(({ name }) => name).join(', ')}.`;
  return [...lines, '', conclusion];
}

type Versions = Readonly<Record<string, string>>;

const all = purposes;
const apt = (names: string): string => `${setUp} (Debian, as root), or install ${names}`;

/** Of every purpose. */
export function needsOf(versions: Versions): readonly Need[] {
  return [
    ...runTimeNeeds(versions),
    ...clusterNeeds(versions),
    ...databaseNeeds(versions),
    ...testNeeds(versions),
  ];
}

function runTimeNeeds(versions: Versions): readonly Need[] {
  const glibc = versions['GLIBC_LEAST'] ?? '';
  return [
    {
      name: 'Node.js',
      why: 'to run the TypeScript sources',
      for: all,
      wanted: '24',
      remedy: setUp,
      find: async () => process.versions.node,
    },
    {
      name: 'npm packages',
      why: 'for everything',
      for: all,
      wanted: 'those of package-lock.json',
      remedy: `${setUp}, or npm install --no-save --ignore-scripts`,
      find: async () =>
        (await output(process.execPath, ['scripts/installed-packages.js', root])) === undefined
          ? undefined
          : '',
    },
    {
      name: 'uWebSockets.js',
      why: `to serve viewers; it loads only with glibc >= ${glibc}`,
      for: all,
      wanted: 'loads',
      remedy: `${setUp}, or use a system with glibc >= ${glibc} (Debian 13, Ubuntu 24.04)`,
      find: () => loads('uWebSockets.js'),
    },
    {
      name: 'node:sqlite',
      why: 'to keep streams and comments',
      for: all,
      wanted: 'loads',
      remedy: setUp,
      find: () => loads('node:sqlite'),
    },
  ];
}

function clusterNeeds(versions: Versions): readonly Need[] {
  const [nats = '', ffmpeg = ''] = [versions['NATS_LEAST'], versions['FFMPEG_LEAST']];
  return [
    {
      name: 'nats-server',
      why: 'for messages, the work queue and the index log',
      for: all,
      wanted: nats,
      remedy: `${setUp}, or put nats-server >= ${nats} on PATH`,
      find: () => version('nats-server', ['--version']),
    },
    {
      name: 'ffmpeg',
      why: 'to encode the renditions',
      for: all,
      wanted: ffmpeg,
      remedy: apt(`ffmpeg >= ${ffmpeg}`),
      find: () => version('ffmpeg', ['-version']),
    },
    {
      name: 'encoders of ffmpeg',
      why: 'to encode the renditions',
      for: all,
      wanted: 'libx264 and aac',
      remedy: apt('an ffmpeg built with libx264'),
      find: async () => {
        const encoders = (await output('ffmpeg', ['-hide_banner', '-encoders'])) ?? '';
        return / libx264 /.test(encoders) && / aac /.test(encoders) ? 'libx264, aac' : undefined;
      },
    },
    {
      name: 'a font',
      why: "to burn the clock into the test publisher's picture",
      for: all,
      wanted: 'any',
      remedy: apt('fonts-dejavu-core'),
      find: findFont,
    },
    {
      name: 'free disk',
      why: 'for segments and logs',
      for: all,
      wanted: `${gibibytes(leastFreeBytes)} here`,
      remedy: 'make room, or use --data with a folder on another disk',
      find: async () => {
        const { bavail, bsize } = await statfs(root);
        return bavail * bsize >= leastFreeBytes ? `${gibibytes(bavail * bsize)} free` : undefined;
      },
    },
  ];
}

function databaseNeeds(versions: Versions): readonly Need[] {
  return [
    {
      name: 'Cassandra',
      why: 'as the database',
      for: ['cassandra', 'test'],
      wanted: versions['CASSANDRA_VERSION'] ?? '',
      remedy: 'run: sh scripts/setup --for cassandra, which fetches its jars by Maven',
      find: async () => cassandraVersion(),
    },
    {
      name: 'Java',
      why: 'to run Cassandra, which wants this version',
      for: ['cassandra', 'test'],
      wanted: '17',
      remedy: 'run: sh scripts/setup --for cassandra, or put Java 17 on PATH and run it again',
      find: () => version('java-17', ['--version']),
    },
  ];
}

function testNeeds(versions: Versions): readonly Need[] {
  return [
    {
      name: 'VersityGW',
      why: 'as the S3 server',
      for: ['s3', 'test'],
      wanted: versions['VERSITYGW_VERSION'] ?? '',
      remedy: 'run: sh scripts/setup --for s3, or put versitygw on PATH',
      find: async () => onPath('versitygw'),
    },
    {
      name: 'Chromium',
      why: 'for the page and player tests',
      for: ['test'],
      wanted: 'any',
      remedy: `run: sh scripts/setup --for test (Debian, as root), or put chromium on PATH`,
      find: async () => onPath('chromium'),
    },
    {
      name: 'openssl',
      why: 'for the certificate of the tests of config/front/',
      for: ['test'],
      wanted: 'any',
      remedy: 'run: sh scripts/setup --for test (Debian, as root), or put openssl on PATH',
      find: async () => onPath('openssl'),
    },
    {
      name: 'nginx',
      why: 'for the tests of config/front/, and to measure the edge against',
      for: ['test', 'bench'],
      wanted: 'any',
      remedy: 'run: sh scripts/setup --for test, or put nginx on PATH',
      find: async () => onPath('nginx'),
    },
    {
      name: 'wrk',
      why: 'to load the edge and nginx in a benchmark',
      for: ['bench'],
      wanted: 'any',
      remedy: 'run: sh scripts/setup --for bench (Debian, as root), or put wrk on PATH',
      find: async () => onPath('wrk'),
    },
  ];
}

/** As the name of its jar says. */
function cassandraVersion(): string | undefined {
  try {
    const jars = readdirSync(join(root, '.toolchain/cassandra/lib'));
    return jars
      .map((name) => /^cassandra-all-([\d.]+)\.jar$/.exec(name)?.[1])
      .find((one) => one !== undefined);
  } catch {
    return undefined;
  }
}

async function findFont(): Promise<string | undefined> {
  const dejavu = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf';
  if (existsSync(dejavu)) return dejavu;
  return (await output('fc-match', ['--format=%{file}', 'sans'])) || undefined;
}

async function loads(module: string): Promise<string | undefined> {
  return import(module).then(
    () => '',
    () => undefined,
  );
}

/** The first dotted number that a program prints. */
async function version(program: string, args: readonly string[]): Promise<string | undefined> {
  const text = await output(program, args);
  return text === undefined ? undefined : (/\d+\.[\d.]*\d/.exec(text)?.[0] ?? '');
}

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  const env = { ...process.env, PATH: searchPath() };
  return run(program, args, { timeout: timeoutMs, env, cwd: root, maxBuffer: 1 << 24 }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

function onPath(program: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}

function searchPath(): string {
  return [join(root, '.toolchain/bin'), process.env['PATH'] ?? ''].join(delimiter);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
