/**
 * The newest picture of a stream that nobody watches here, for who looks at a list: an edge of the stream's home makes it. So a list of streams
 * makes no region relay them (R5).
 */
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { askEdges, type AskedPorts } from './ask-edges.ts';

/** Of a picture with the width of the smallest rendition. */
const mostPictureBytes = 1_048_576;

/** @throws TangazaError `NOT_FOUND` and `STREAM_NOT_LIVE` where the home says that there is none, `OVERLOADED`, `UNAVAILABLE` where no edge of it gives one */
export async function pictureOfHome(
  ports: AskedPorts,
  home: RegionId,
  stream: StreamId,
): Promise<Uint8Array> {
  const { fetchAcross, crossings } = ports;
  const what = `The newest picture of ${stream}`;
  const body = await askEdges(ports, { home, name: stream, what }, (asked, signal) =>
    fetchAcross.picture({ ...asked, stream, mostBytes: mostPictureBytes }, signal),
  ).catch((error: unknown) => {
    throw errorCodeOf(error) === 'NOT_FOUND' ? noPicture() : error;
  });
  if (!isJpeg(body)) {
    crossings.count(home, 'damaged', body.byteLength);
    throw new TangazaError('UNAVAILABLE', `${home} sent something that is no picture of ${stream}.`);
  }
  crossings.count(home, 'ok', body.byteLength);
  return body;
}

const noPicture = (): TangazaError => new TangazaError('NOT_FOUND', 'The stream has no picture.');
const isJpeg = (body: Uint8Array): boolean => body[0] === 0xff && body[1] === 0xd8;
