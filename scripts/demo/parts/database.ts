/** Starts the database of a demo: files of its regions, or a Cassandra with a data centre for each of them. */
import { join } from 'node:path';
import { askCql } from '../answers.system.ts';
import { cassandraNameOf, specOfCassandra } from '../cassandra/spec.ts';
import { pointOf, type CassandraPlace } from '../cassandra/place.ts';
import { ensureDemoStream, ensureStreamIn } from './demo-stream.ts';
import type { DataCentre, Site } from '../site.ts';
import { logFileOf } from '../specs.ts';
import type { SupervisedProcess } from '../supervised-process.system.ts';
import { untilReady } from './until-ready.ts';

const readyMs = 120_000;

/**
 * Starts what the demo's streams and comments lie in, and makes the demo's stream there.
 *
 * @param regions of the demo, in order
 * @returns the data centre of each region; none where they lie in files
 * @throws UnusableError when another program uses a port of the folder's Cassandra
 */
export async function startDatabase(
  site: Site,
  regions: readonly string[],
  key: string,
): Promise<ReadonlyMap<string, DataCentre>> {
  const { options, clock } = site;
  if (options.comments === 'cassandra') return startCassandra(site, regions.length, key);
  for (const id of regions) await ensureDemoStream(join(options.dataDir, id), key, clock);
  return new Map();
}

async function startCassandra(
  site: Site,
  regions: number,
  key: string,
): Promise<ReadonlyMap<string, DataCentre>> {
  const { options, clock } = site;
  const say = options.onProgress ?? (() => {});
  // Its driver takes a while to load.
  const { databaseEnv, inRegistry, migrateAll } = await import('../cassandra/database.ts');
  const { placesIn } = await import('../cassandra/places.disk.ts');
  const places = await placesIn(options.dataDir, regions);
  for (const { dataCentre } of places.slice(regions))
    say(`the database of this folder has a data centre ${dataCentre}, too: it starts with the others`);
  const started = places.map((place) => ({ place, process: startNode(site, place) }));
  await Promise.all(places.map((place) => untilAnswering(site, place)));
  say('Cassandra is there; its tables are brought up to date, which takes half a minute the first time');
  await migrateAll(places, { clock, say });
  await inRegistry(places, clock, (registry) => ensureStreamIn(registry, key, clock));
  return new Map(
    started.map(({ place, process }, index) => [
      place.dataCentre,
      { process, point: pointOf(place), env: databaseEnv(places, index) },
    ]),
  );
}

function startNode({ options, run }: Site, place: CassandraPlace): SupervisedProcess {
  const { address, ports, dataCentre } = place;
  options.onProgress?.(
    `Cassandra of ${dataCentre} starts on ${address}:${ports.native}, with 0.7 GB: about 15 s`,
  );
  return run(specOfCassandra(place, logFileOf(options, cassandraNameOf(place))));
}

async function untilAnswering(site: Site, place: CassandraPlace): Promise<void> {
  const { address, ports } = place;
  const ask = (ms: number) => askCql(address, ports.native, ms);
  await untilReady({ name: cassandraNameOf(place), ask, withinMs: readyMs }, site);
}
