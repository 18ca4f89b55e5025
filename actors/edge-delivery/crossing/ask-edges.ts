/** Asks edges of a stream's home, one after the other, for what is read into memory and not stored (R5). */
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Crossings } from './crossings.ts';
import type { FetchAcross } from './fetch-across.ts';
import { sourcesFor } from './sources.ts';

export interface AskedPorts {
  readonly elsewhere: Pick<Elsewhere, 'edges'>;
  readonly fetchAcross: FetchAcross;
  readonly crossings: Crossings;
}

export interface AskedFor {
  readonly home: RegionId;
  /** It decides which edges are asked. */
  readonly name: string;
  /** With which the sentence begins that says where it lies. */
  readonly what: string;
}

/** @throws TangazaError `SEGMENT_NOT_FOUND`, `UNAVAILABLE` */
export async function askEdges<T>(
  { elsewhere }: Pick<AskedPorts, 'elsewhere'>,
  { home, name, what }: AskedFor,
  get: (httpUrl: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const edges = elsewhere.edges().filter(({ region }) => region === home);
  for (const { httpUrl } of sourcesFor(name, edges, { home })) {
    try {
      return await get(httpUrl, new AbortController().signal);
    } catch (error) {
      if (errorCodeOf(error) === 'SEGMENT_NOT_FOUND') throw error;
    }
  }
  throw new TangazaError('UNAVAILABLE', `${what} lies in ${home}, which does not answer now.`);
}
