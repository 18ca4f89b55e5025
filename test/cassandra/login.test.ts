/** A Cassandra that wants a password and TLS: who has both is let in, and who has not is told once what is wrong, and never a secret. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../cluster/cassandra/cassandra.composition.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { readCassandraFiles } from '../../config/cassandra-files.disk.ts';
import { loadConfig } from '../../config/config.ts';
import { startGuardedCassandra, type GuardedCassandra } from '../support/cassandra/guarded-cassandra.ts';
import { runCli } from '../support/cluster/cli.ts';
import { recordingLogger, type LogLine } from '../support/ingest/rtmp-recorder.ts';

const migrations = join(import.meta.dirname, '../../config/cassandra');
/** Its certificate names another address than its own. */
const certified = '127.0.0.4';

let cassandra: GuardedCassandra | undefined;
const started = (): GuardedCassandra => {
  if (cassandra === undefined) throw new Error('Cassandra has not been started');
  return cassandra;
};

beforeAll(async () => {
  cassandra = await startGuardedCassandra({ certified });
});
afterAll(() => cassandra?.[Symbol.asyncDispose]());

/** What lets somebody in. */
function envOf(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { dataCentre, contactPoint, user, files } = started();
  return {
    TANGAZA_REGION: dataCentre,
    TANGAZA_CASSANDRA: contactPoint,
    TANGAZA_CASSANDRA_REPLICATION: '1',
    TANGAZA_CASSANDRA_USER: user,
    TANGAZA_CASSANDRA_PASSWORD_FILE: files.password,
    TANGAZA_CASSANDRA_TLS: 'verify-ca',
    TANGAZA_CASSANDRA_CA: files.ca,
    ...more,
  };
}

/** Opens it as a node does. @returns why it could not; undefined where it could; and all that was logged */
async function openAs(env: Readonly<Record<string, string>>) {
  const lines: LogLine[] = [];
  const ports = { clock, logger: recordingLogger(lines), metrics: noMetrics };
  const settings = readCassandraFiles(loadConfig(env, 2).cassandra);
  const why = await openDatabase(settings, migrations, ports).then(
    (database) => database.close(),
    (error: unknown) => String(error),
  );
  return { why, lines };
}

test('with the password of a file, and the authority of its certificate, migrations run and nodes are let in', async () => {
  const { code, stdout, stderr } = await runCli(['migrate'], '', envOf());
  expect({ code, stdout, stderr }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('is of version'),
  });
  expect(await openAs(envOf())).toEqual({ why: undefined, lines: [] });
});

// Goal: an operator reads what to mend, once, and no secret is told. Method: each setting alone is wrong. Whoever waited for ever instead
// would reach the time-out of the test.
test.for<[string, (files: GuardedCassandra['files']) => Record<string, string>, string]>([
  [
    'a wrong password',
    ({ wrongPassword }) => ({ TANGAZA_CASSANDRA_PASSWORD_FILE: wrongPassword }),
    'it does not take the user or the password',
  ],
  [
    'the certificate of another authority',
    ({ otherCa }) => ({ TANGAZA_CASSANDRA_CA: otherCa }),
    'its certificate is signed by another authority: see TANGAZA_CASSANDRA_CA',
  ],
  [
    'a certificate for another address',
    () => ({ TANGAZA_CASSANDRA_TLS: 'verify-full' }),
    'its certificate does not name its address',
  ],
])('%s is told once, and the node does not start', async ([, wrong, words]) => {
  const { files, password } = started();
  const env = envOf(wrong(files));
  const { why, lines } = await openAs(env);
  expect(why).toContain(words);
  const said = JSON.stringify({ why, lines });
  expect({ tellsSecret: /guessed-secret/.test(said), warnings: lines.length }).toEqual({
    tellsSecret: false,
    warnings: 1,
  });
  const { code, stderr } = await runCli(['migrate'], '', env);
  expect({
    code,
    tellsSecret: /guessed-secret/.test(stderr),
    password: stderr.includes(`"${password}"`),
  }).toEqual({
    code: 2,
    tellsSecret: false,
    password: false,
  });
  expect(stderr).toContain(words);
});

test('a file that is not there, or is no certificate, is refused by the name of its setting', async () => {
  const { files } = started();
  const missing = await runCli(['migrate'], '', envOf({ TANGAZA_CASSANDRA_PASSWORD_FILE: '/nowhere' }));
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('TANGAZA_CASSANDRA_PASSWORD_FILE'),
  });
  const noPem = await runCli(['migrate'], '', envOf({ TANGAZA_CASSANDRA_CA: files.password }));
  expect(noPem).toMatchObject({ code: 2, stderr: expect.stringContaining('TANGAZA_CASSANDRA_CA') });
});
