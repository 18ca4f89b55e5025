/** Finds out which data centres the Cassandra of a data folder has, and where they are. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptPorts } from './kept-ports.disk.ts';
import { loopbackOf, type CassandraPlace } from './place.ts';

const filledName = 'filled';
/** No demo has more, and no folder is looked through further. */
const mostRegions = 64;

const regionOf = (index: number): string => `region-${index + 1}`;
const folderOf = (dataDir: string, index: number): string => join(dataDir, regionOf(index), 'cassandra');

/**
 * One data centre for each region, the first region's first. Those that the folder has from a start with more regions follow: they belong to
 * the database, which agrees on a new stream only while most of them are there.
 *
 * @param dataDir of the demo
 * @throws UnusableError as `keptPorts`
 */
export async function placesIn(dataDir: string, regions: number): Promise<readonly CassandraPlace[]> {
  let count = regions;
  for (let index = regions; index < mostRegions; index += 1)
    if (existsSync(join(folderOf(dataDir, index), 'data'))) count = index + 1;
  const seeds = Array.from({ length: count }, (_, index) => loopbackOf(index));
  const ports = await keptPorts(join(dataDir, regionOf(0)), seeds);
  return seeds.map((address, index) => ({
    dataCentre: regionOf(index),
    address,
    seeds,
    ports,
    dir: folderOf(dataDir, index),
  }));
}

/** Whether it has what the others had when it was added. */
export const isFilled = ({ dir }: CassandraPlace): boolean => existsSync(join(dir, filledName));

export function noteFilled({ dir }: CassandraPlace): void {
  writeFileSync(join(dir, filledName), '');
}
