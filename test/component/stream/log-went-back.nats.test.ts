/** A stream actor on a real nats-server whose log went back by much (C7, M1). */
import { connect } from '@nats-io/transport-node';
import { cp, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { temporaryFolder } from '../../support/media/media-feed.ts';
import { region, stream } from '../../support/ports/records.ts';
import { startActor } from '../../support/ports/region-ports.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { begin, count, fold, logUntil } from '../../support/ingest/stream-feed.ts';
import { waitFor } from '../../support/wait.ts';

const lostRecords = 100_000;

/** Records of another stream that nobody reads. */
async function fillLog(servers: string): Promise<void> {
  const connection = await connect({ servers });
  const subject = subjects.index(region, StreamId.parse('busy'));
  for (let sent = 0; sent < lostRecords; sent += 1000) {
    for (let index = 0; index < 999; index += 1) connection.publish(subject);
    await connection.request(subject, undefined, { timeout: 30_000 });
  }
  await connection.close();
}

/** Tries until the log is there: for what may only fail while the server starts. */
async function oncePossible<T>(work: () => Promise<T>): Promise<T> {
  const [outcome] = await waitFor(
    'the log is there',
    () => Promise.allSettled([work()]),
    ([tried]) => tried.status === 'fulfilled' || errorCodeOf(tried.reason) !== 'LOG_UNAVAILABLE',
    { withinMs: 120_000 },
  );
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

// Goal: the next period does not wait until the log stands where it stood. Method: the server's folder is copied; a hundred thousand
// records of another stream later a period begins; then the copy is put back, or nothing. The owner, which has noticed nothing
// yet, opens another period; then a successor does, which has only the log.
test.each(['an older copy', 'nothing'])(
  'a log that has %s of a hundred thousand records opens each further period with one record, and no id twice',
  { timeout: 180_000 },
  async (what) => {
    await using nats = await startNats({ jetstream: true });
    await using backup = await temporaryFolder();
    await using one = await startActor(nats);
    const first = await begin(one);
    await nats.kill();
    await cp(nats.dir, backup.path, { recursive: true });
    await nats.restart();
    await fillLog(nats.url);
    const second = await oncePossible(() => begin(one, 50_000_000));
    await nats.kill();
    await rm(nats.dir, { recursive: true });
    if (what === 'an older copy') await cp(backup.path, nats.dir, { recursive: true });
    await nats.restart();
    const third = await oncePossible(() => begin(one, 100_000_000));
    await using two = await startActor(nats, { node: 'n2', alive: false });
    const fourth = await begin(two, 150_000_000);
    expect(second.period).toBeGreaterThan(lostRecords);
    expect([third, fourth].map(({ period }) => period - second.period)).toEqual([1, 2]);
    const entries = await logUntil(two.log, (records) => count(records, 'clock') === 2);
    const { periods } = fold(entries);
    expect({ areFew: entries.length < 10, periods: periods.map(({ id }) => id) }).toEqual({
      areFew: true,
      periods: [first, second, third, fourth].map(({ period }) => period),
    });
    expect((await two.log.tail(stream))?.sequence).toBeLessThan(lostRecords);
  },
);
