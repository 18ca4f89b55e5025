/**
 * A process of its own that writes comments into a SQLite file: `node comment-process.ts FILE MODE`.
 *
 * `endless`: adds comments until it is killed, and prints the id of each that was acknowledged. `race FIRST COUNT`: says `ready`, waits for
 * a line, adds that many at once and prints `done`. `fill`: adds until the disk is full, then makes room, and prints what happened. `startFull`: the same on a
 * disk that is full as the file is opened.
 */
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSqliteCommentStore } from '../../../../actors/comments/store/comment-store.sqlite.ts';
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../../cluster/time/clock.system.ts';
import { waitUntil } from '../../wait.ts';
import { commentBody } from './comment-bodies.ts';

const [file = '', mode = '', first = '0', count = '0'] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
/** Room that an operator can free. */
const ballast = join(dirname(file), 'ballast');
if (mode === 'fill') await writeFile(ballast, new Uint8Array(500_000));
if (mode === 'startFull') await writeFile(ballast, new Uint8Array(10_000_000)).catch(() => {});
const store = await openSqliteCommentStore({
  file,
  clock: systemClock,
  metrics: noMetrics,
  logger: silentLogger,
});

async function add(number: number): Promise<string> {
  const body = commentBody({ number, text: `${number} `.padEnd(500, 'x') });
  const { comment } = await store.add(body, { isHeld: false, nowMs: Date.now() });
  return comment.id;
}

switch (mode) {
  case 'endless': {
    const forever = async (from: number): Promise<void> => {
      for (let number = from; ; number += 10) say(await add(number));
    };
    await Promise.all(Array.from({ length: 10 }, (_, from) => forever(from)));
    break;
  }
  case 'race':
    say('ready');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    await Promise.all(Array.from({ length: Number(count) }, (_, index) => add(Number(first) + index)));
    say('done');
    break;
  case 'fill':
    say(JSON.stringify(await fill()));
    break;
  case 'startFull': {
    const before = await add(1).catch(errorCodeOf);
    await rm(ballast);
    const tried = async (): Promise<boolean> => (await add(1).catch(() => '')) !== '';
    await waitUntil('there is room', tried);
    say(JSON.stringify({ before, afterwards: await add(1) }));
    break;
  }
  default:
    throw new Error(`no mode ${mode}`);
}
await store.close();

/** Adds until it is refused, reads what is there, makes room, and adds again. */
async function fill(): Promise<object> {
  const acknowledged: string[] = [];
  let code = '';
  for (let number = 0; number < 5000 && code === ''; number += 1) {
    try {
      acknowledged.push(await add(number));
    } catch (error) {
      code = errorCodeOf(error);
    }
  }
  const again = await add(9000).catch(errorCodeOf);
  const { streamId } = commentBody();
  const newest = await store.newest(streamId, 1000);
  await rm(ballast);
  const afterwards = await add(9001).catch(errorCodeOf);
  const all = await store.following(streamId, 1000, { createdAtMs: 0 });
  const ids = new Set(all.map(({ id }) => String(id)));
  return {
    code,
    again,
    afterwards,
    acknowledged: acknowledged.length,
    readWhileFull: newest.length,
    lost: acknowledged.filter((id) => !ids.has(id)).length,
  };
}
