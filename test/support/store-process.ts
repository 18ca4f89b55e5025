/**
 * A process of its own that puts objects into a disk store: `node store-process.ts FOLDER MODE`, told on stdin when to go.
 *
 * `race KEY`: says `ready`, waits for a line, puts its process id under KEY, prints the outcome. `endless`: puts 64 kB
 * objects until it is killed. `fill [blind]`: puts until the disk is full and prints what happened; `blind` believes that
 * there is room, so that the file system itself has to refuse.
 */
import { once } from 'node:events';
import { openDiskStore } from '../../actors/segment-store/segment-store.disk.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';

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
  default:
    throw new Error(`no mode ${mode}`);
}

/** Puts until it is refused, looks at what is there, makes room, and puts again. */
async function fill(): Promise<object> {
  const acknowledged: string[] = [];
  let code = '';
  while (code === '' && acknowledged.length < 100) {
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
