/** What a demo of several regions is refused for; the ports of its Cassandra are chosen once, and a program that has one later is named. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placesIn } from '../../../scripts/demo/cassandra/places.disk.ts';

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-ports-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function listenAt(port: number, address: string): Promise<AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return { [Symbol.asyncDispose]: async () => void server.close() };
}

// Goal: a demo that is started again finds its data centres, with fewer regions and with more. Method: one region, two, and one again, on
// one folder; the second data centre was used meanwhile.
test('a folder keeps its ports and its data centres, whatever the number of regions', async () => {
  await using data = await folder();
  const [one] = await placesIn(data.path, 1);
  const two = await placesIn(data.path, 2);
  expect(two.map(({ dataCentre, address, ports }) => ({ dataCentre, address, ports }))).toEqual([
    { dataCentre: 'region-1', address: '127.0.0.1', ports: one?.ports },
    { dataCentre: 'region-2', address: '127.0.0.2', ports: one?.ports },
  ]);
  expect(await placesIn(data.path, 1)).toHaveLength(1);
  await mkdir(join(two[1]?.dir ?? '', 'data'), { recursive: true });
  expect(await placesIn(data.path, 1)).toEqual(two);
});

test('a program that has a port of Cassandra is named, at the address of any region', async () => {
  await using data = await folder();
  const [place] = await placesIn(data.path, 1);
  const port = place?.ports.storage ?? 0;
  await using _ = await listenAt(port, '127.0.0.2');
  await expect(placesIn(data.path, 1)).resolves.toHaveLength(1);
  await expect(placesIn(data.path, 2)).rejects.toThrow(
    new RegExp(
      `port ${port} of 127.0.0.2, .* is in use by process ${process.pid} .*choose another folder with --data DIR`,
    ),
  );
});
