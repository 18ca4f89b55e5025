/** A whole node in this process, on a real nats-server: what holds of all its actions (C6). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { composeNode } from '../../moleculer.config.ts';
import { startNats } from '../support/start-nats.ts';
import { codeOf } from '../support/stream-feed.ts';

// Goal: a process that was frozen carries out no call that its caller has given up, of whatever kind. Method: every action that a node
// of all roles has is called with a deadline that has passed.
test('every action of a node refuses a call that is late', async () => {
  await using nats = await startNats({ jetstream: true });
  await using cleaning = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-node-'));
  cleaning.defer(() => rm(dataDir, { recursive: true }));
  const env = { TANGAZA_NODE_ID: 'n1', TANGAZA_NATS_URL: nats.url, TANGAZA_DATA_DIR: dataDir };
  const ports = { TANGAZA_HTTP_PORT: '0', TANGAZA_RTMP_PORT: '0', TANGAZA_LOG_LEVEL: 'error' };
  const broker = new ServiceBroker(await composeNode({ ...env, ...ports }));
  await broker.start();
  cleaning.defer(() => broker.stop());
  const actions = broker.registry.actions
    .list({ onlyLocal: true, skipInternal: true })
    .map(({ name }) => name);
  const services = new Set(actions.map((name: string) => name.split('.')[0]));
  expect([...services].toSorted()).toEqual(['control', 'drain', 'edge-delivery', 'ingest', 'stream']);
  const meta = { from: 'n1', deadlineMs: 0 };
  const outcomes = await Promise.all(
    actions.map(async (name: string) => [name, await codeOf(broker.call(name, {}, { meta }))]),
  );
  expect(outcomes).toEqual(actions.map((name: string) => [name, 'DEADLINE_EXCEEDED']));
});
