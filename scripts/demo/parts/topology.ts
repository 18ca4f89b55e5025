/**
 * Describes the regions of a demo to its nodes (R1). Each region has a file of its own in its data folder, as a test may stand in each link,
 * in each direction.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../../config/make-once.disk.ts';
import type { DemoOptions } from '../site.ts';

export interface RegionServer {
  readonly id: string;
  readonly natsUrl: string;
}

const fileOf = (dataDir: string, id: string): string => join(dataDir, id, 'regions.json');
const Written = z.object({ version: z.number().int() });

/**
 * Ports of NATS servers change with each start, so the version is raised each time.
 *
 * @returns the file of each region; none where there is one region
 */
export async function writeTopologies(
  { dataDir, links }: Pick<DemoOptions, 'dataDir' | 'links'>,
  servers: readonly RegionServer[],
): Promise<ReadonlyMap<string, string>> {
  if (servers.length < 2) return new Map();
  const version = 1 + Math.max(...servers.map(({ id }) => versionIn(fileOf(dataDir, id))));
  const files = new Map<string, string>();
  for (const { id: from } of servers) {
    const regions = [];
    for (const [ordinal, { id, natsUrl }] of servers.entries()) {
      const url = from === id ? natsUrl : ((await links?.natsOf(from, id, natsUrl)) ?? natsUrl);
      regions.push({ id, ordinal, gateway: { nats: [url] } });
    }
    const file = fileOf(dataDir, from);
    mkdirSync(join(dataDir, from), { recursive: true });
    replaceFile(file, `${JSON.stringify({ version, regions }, null, 2)}\n`);
    files.set(from, file);
  }
  return files;
}

/** 0 for a region that has none yet. */
function versionIn(file: string): number {
  try {
    return Written.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
  } catch {
    return 0;
  }
}
