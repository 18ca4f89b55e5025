/**
 * The archives of a stream whose home is another region: the home has those of what it wrote, this region those of what it wrote itself (R5).
 * They are read into memory, not stored here.
 */
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { ArchiveSource } from '../playback/archive-source.ts';
import type { Crossings } from './crossings.ts';
import type { FetchAcross } from './fetch-across.ts';
import { sourcesFor } from './sources.ts';

export interface HomeArchivePorts {
  readonly own: ArchiveSource;
  readonly elsewhere: Pick<Elsewhere, 'ask' | 'edges'>;
  readonly fetchAcross: FetchAcross;
  readonly crossings: Crossings;
}

/** A fold of a DVR window has some hundred bytes for each segment and rung. */
const mostArchiveBytes = 33_554_432;

export function archivesOfHome(ports: HomeArchivePorts): ArchiveSource {
  const { own, fetchAcross, crossings } = ports;
  return {
    list: async (stream) => {
      const home = (await ports.elsewhere.ask(stream))?.region;
      const here = await own.list(stream);
      if (home === undefined) return here;
      const there = await ask(ports, home, stream, (url, signal) =>
        fetchAcross.archives(url, stream, signal),
      );
      return [...new Set([...here, ...there])];
    },
    read: async (stream, key) => {
      const home = (await ports.elsewhere.ask(stream))?.region;
      try {
        return await own.read(stream, key);
      } catch (error) {
        if (home === undefined || errorCodeOf(error) !== 'SEGMENT_NOT_FOUND') throw error;
      }
      const body = await ask(ports, home, key, (url, signal) =>
        fetchAcross.object(url, key, mostArchiveBytes, signal),
      );
      crossings.count(home, 'ok', body.byteLength);
      return body;
    },
  };
}

/** Asks edges of the home until one answers. @throws TangazaError `SEGMENT_NOT_FOUND`, `UNAVAILABLE` */
async function ask<T>(
  { elsewhere }: HomeArchivePorts,
  home: RegionId,
  name: StreamId | string,
  get: (httpUrl: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const edges = elsewhere.edges().filter(({ region }) => region === home);
  for (const { httpUrl } of sourcesFor(name, edges, home)) {
    try {
      return await get(httpUrl, new AbortController().signal);
    } catch (error) {
      if (errorCodeOf(error) === 'SEGMENT_NOT_FOUND') throw error;
    }
  }
  throw new TangazaError(
    'UNAVAILABLE',
    `The past of this stream lies in ${home}, which does not answer now.`,
  );
}
