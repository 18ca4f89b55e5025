/** A node's store on a real S3 server that is not there yet. */
import { expect, test } from 'vitest';
import { openStore } from '../../../actors/segment-store/open-store.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { startVersityGw } from '../../support/ports/stores/versitygw.ts';

// Goal: a node that starts before its S3 server comes up with it. Method: the server is dead when the store is opened, and is started
// once the first try has failed.
test('the store is waited for until its server is there', async () => {
  await using s3 = await startVersityGw();
  await s3.kill();
  const { endpoint, region, accessKey, secretKey } = s3;
  const choice = { kind: 's3', bucket: 'waited-for', endpoint, region, accessKey, secretKey } as const;
  let retries = 0;
  const metrics = { ...noMetrics, counter: () => ({ add: () => void (retries += 1) }) };
  const opening = openStore(choice, 'unused', { clock, metrics });
  await expect.poll(() => retries).toBeGreaterThan(3); // more than one try has: it was begun again
  await s3.restart();
  const store = await opening;
  expect(await Array.fromAsync(store.list('a/'))).toEqual([]);
  await store.close();
});
