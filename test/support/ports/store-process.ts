/**
 * A process of its own that puts objects into a disk store: `node store-process.ts FOLDER MODE`, told on stdin when to go.
 *
 * `race KEY`: says `ready`, waits for a line, puts its process id under KEY, prints the outcome. `endless`: puts 64 kB
 * objects until it is killed. `fill [blind]`: puts until the disk is full and prints what happened; `blind` believes that
 * there is room, so that the file system itself has to refuse. `unmount`: tries the store while its own file system is
 * read-only, writable again, and unmounted, and prints what it was told.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { openDiskStore } from '../../../actors/segment-store/segment-store.disk.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';

const [folder = '', mode = '', detail = ''] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const plenty = { bavail: 1_000_000, bsize: 4096 };
const store = await openDiskStore({
  folder,
  reserveBytes: mode === 'fill' && detail !== 'blind' ? 262_144 : 1,
  clock: systemClock,
  metrics: noMetrics,
  ...(detail === 'blind' ? { statfs: async () => plenty } : {}),
});

const keyOf = (index: number): string =>
  `full/1/h264-720p/${String(index).padStart(6, '0')}-${'0'.repeat(16)}`;

switch (mode) {
  case 'race': {
    say('ready');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    say(await store.putIfAbsent(detail, Buffer.from(String(process.pid))));
    break;
  }
  case 'endless':
    for (let index = 0; ; index += 1) {
      await store.putIfAbsent(keyOf(index), new Uint8Array(65_536).fill(index % 251));
      if (index === 3) say('running');
    }
  case 'fill':
    say(JSON.stringify(await fill()));
    break;
  case 'unmount':
    say(JSON.stringify(await unmount()));
    break;
  default:
    throw new Error(`no mode ${mode}`);
}

/** Puts until it is refused, looks at what is there, makes room, and puts again. */
async function fill(): Promise<object> {
  const acknowledged: string[] = [];
  let code = '';
  for (let tries = 0; tries < 100 && code === ''; tries += 1) {
    const key = keyOf(acknowledged.length);
    try {
      await store.putIfAbsent(key, new Uint8Array(50_000).fill(1));
      acknowledged.push(key);
    } catch (error) {
      code = errorCodeOf(error);
    }
  }
  const listed = await Array.fromAsync(store.list(''));
  const whole = listed.filter((object) => object.bytes === 50_000).map((object) => object.key);
  await store.delete(acknowledged.slice(0, 2));
  const afterwards = await store.putIfAbsent(keyOf(999), new Uint8Array(50_000));
  return {
    code,
    acknowledged: acknowledged.length,
    isAllThere: acknowledged.join() === whole.join(),
    listed: listed.length,
    afterwards,
  };
}

async function unmount(): Promise<object> {
  await store.putIfAbsent(keyOf(0), new Uint8Array(10));
  execFileSync('mount', ['-o', 'remount,ro', folder]);
  const readOnly = await tryBoth(1);
  execFileSync('mount', ['-o', 'remount,rw', folder]);
  const writable = await tryBoth(1);
  execFileSync('umount', [folder]);
  const unmounted = await tryBoth(2);
  return { readOnly, writable, unmounted, below: await readdir(folder) };
}

/** What a put of a new object and a get of the first are answered with. */
async function tryBoth(index: number): Promise<{ put: string; get: string }> {
  const outcome = (call: Promise<unknown>): Promise<string> => call.then(() => 'ok', errorCodeOf);
  return {
    put: await outcome(store.putIfAbsent(keyOf(index), new Uint8Array(10))),
    get: await outcome(store.get(keyOf(0))),
  };
}
