import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configFilesOf, loopbackOf } from '../../../../scripts/demo/cassandra/place.ts';

const template = readFileSync(
  new URL('../../../../config/cassandra/cassandra.yaml', import.meta.url),
  'utf8',
);
const place = {
  dataCentre: 'region-2',
  address: loopbackOf(1),
  seeds: [loopbackOf(0), loopbackOf(1)],
  ports: { native: 9142, storage: 7100 },
  dir: '/somewhere',
};

test('nothing of the configuration stays to be filled in, and each node listens on its own address', () => {
  const files = configFilesOf(place, template);
  expect(files['cassandra.yaml']?.match(/\{ ?\w+ ?\}/g)).toBeNull();
  expect(files['cassandra.yaml']).toContain("listen_address: '127.0.0.2'");
  expect(files['cassandra.yaml']).toContain("seeds: '127.0.0.1:7100,127.0.0.2:7100'");
  expect(files['cassandra.yaml']).toContain('native_transport_port: 9142');
  expect(files['cassandra-rackdc.properties']).toBe('dc=region-2\nrack=r1\n');
});
