/** Free ports for a cluster's servers: no two of them get the same one. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, userOfPort, whyNotFree } from '../../../scripts/demo/free-port.system.ts';
import { firstEphemeral } from '../../../scripts/demo/ports.ts';

// Found by `bench failover`: a node's HTTP and RTMP were given one port, for the kernel names a closed one again.
test('three hundred ports, asked for one after the other, are three hundred', async () => {
  const ports = new Set<number>();
  for (let count = 0; count < 300; count += 1) ports.add(await freePort());
  expect(ports.size).toBe(300);
});

// Found by `up` on ports from 32768 on: who asked whether a server is there had taken its port.
test('a free port is none that the kernel gives to connections', async () => {
  const first = firstEphemeral(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'));
  const ports: number[] = [];
  for (let count = 0; count < 50; count += 1) ports.push(await freePort());
  expect(ports.filter((port) => port >= (first ?? 0))).toEqual([]);
});

test('a port that is taken is told with the process that has it, one that is free as free', async () => {
  const port = await freePort();
  expect({ why: await whyNotFree(port), user: userOfPort(port) }).toEqual({
    why: undefined,
    user: undefined,
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    expect(await whyNotFree(port)).toBe('EADDRINUSE');
    expect(userOfPort(port)?.pid).toBe(process.pid);
  } finally {
    server.close();
  }
});
