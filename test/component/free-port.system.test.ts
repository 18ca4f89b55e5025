/** Free ports for a cluster's servers: no two of them get the same one. */
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/demo/free-port.system.ts';

// Found by `bench failover`: a node's HTTP and RTMP were given one port, for the kernel names a closed one again.
test('three hundred ports, asked for one after the other, are three hundred', async () => {
  const ports = new Set<number>();
  for (let count = 0; count < 300; count += 1) ports.add(await freePort());
  expect(ports.size).toBe(300);
});
