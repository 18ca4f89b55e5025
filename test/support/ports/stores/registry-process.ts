/**
 * A process of its own that makes streams in a SQLite registry until its disk is full, then makes room, and prints what happened:
 * `node registry-process.ts FILE`.
 */
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSqliteStreamRegistry } from '../../../../actors/control/stream-registry.sqlite.ts';
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';
import { systemClock } from '../../../../cluster/time/clock.system.ts';

const [file = ''] = process.argv.slice(2);
/** Room that an operator can free. */
const ballast = join(dirname(file), 'ballast');
await writeFile(ballast, new Uint8Array(500_000));
const registry = openSqliteStreamRegistry(file, systemClock);
const idOf = (number: number): StreamId => StreamId.parse(`s${number}`);

async function make(number: number): Promise<string> {
  const id = idOf(number);
  const secrets = { keyHash: `hash of ${id}`, keySalt: 'salt' };
  await registry.create({ id, title: 'x'.repeat(200), ladder: 'default', nowMs: number, ...secrets });
  return 'made';
}

let made = 0;
let code = '';
for (let number = 0; number < 20_000 && code === ''; number += 1) {
  code = await make(number).then(() => '', errorCodeOf);
  if (code === '') made += 1;
}
const removed = await registry.remove(idOf(0), 1).then(String, errorCodeOf);
const newest = (await registry.get(idOf(made - 1)))?.id;
await rm(ballast);
const afterwards = await make(made).catch(errorCodeOf);
const kept = await Promise.all(Array.from({ length: made }, (_, number) => registry.get(idOf(number))));
const lost = kept.filter((one) => one === undefined).length;
await registry.close();
process.stdout.write(
  `${JSON.stringify({ made, code, removed, isRead: newest === idOf(made - 1), afterwards, lost })}\n`,
);
