/**
 * The archives of a stream whose home is another region: the home has those of what it wrote, this region those of what it wrote itself (R5).
 * They are read into memory, not stored here.
 */
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { ArchiveSource } from '../playback/archive-source.ts';
import { askEdges, type AskedPorts } from './ask-edges.ts';

export interface HomeArchivePorts extends AskedPorts {
  readonly own: ArchiveSource;
  readonly elsewhere: Pick<Elsewhere, 'ask' | 'edges' | 'homeOf'>;
}

/** A fold of a DVR window has some hundred bytes for each segment and rung. */
const mostArchiveBytes = 33_554_432;
const what = 'The past of this stream';

export function archivesOfHome(ports: HomeArchivePorts): ArchiveSource {
  const { own, fetchAcross, crossings } = ports;
  return {
    homeOf: (stream) => ports.elsewhere.homeOf(stream)?.region,
    list: async (stream) => {
      const home = (await ports.elsewhere.ask(stream))?.region;
      const here = await own.list(stream);
      if (home === undefined) return here;
      const there = await askEdges(ports, { home, name: stream, what }, (asked, signal) =>
        fetchAcross.archives({ ...asked, stream }, signal),
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
      const body = await askEdges(ports, { home, name: key, what }, (asked, signal) =>
        fetchAcross.object({ ...asked, key, mostBytes: mostArchiveBytes }, signal),
      );
      crossings.count(home, 'ok', body.byteLength);
      return body;
    },
  };
}
