/** The paths by which edges get objects from other regions. They are no viewer's: who has no pass is refused (R5). */
import { StreamId } from '../../../cluster/model/ids.ts';
import { parseArchiveKey } from '../../segment-store/archive-key.ts';
import { streamOfMedia } from '../../segment-store/expiry.ts';

export const crossingFolder = '/internal/v1/';
const objects = `${crossingFolder}objects/`;
const archives = `${crossingFolder}archives/`;

export const objectPath = (key: string): string => `${objects}${key}`;
export const archivesPath = (stream: StreamId): string => `${archives}${stream}`;

export type CrossingPath =
  | { readonly kind: 'object'; readonly key: string }
  | { readonly kind: 'archives'; readonly stream: StreamId };

/** Undefined for a path that names neither a stream nor an object that may cross: media, init segments and archives. */
export function parseCrossingPath(path: string): CrossingPath | undefined {
  if (path.startsWith(archives)) {
    const stream = StreamId.safeParse(path.slice(archives.length));
    return stream.success ? { kind: 'archives', stream: stream.data } : undefined;
  }
  if (!path.startsWith(objects)) return undefined;
  const key = path.slice(objects.length);
  const mayCross = streamOfMedia(key) !== undefined || parseArchiveKey(key) !== undefined;
  return mayCross ? { kind: 'object', key } : undefined;
}
