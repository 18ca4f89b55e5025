/**
 * The newest picture of a stream that nobody watches here, for who looks at a list: an edge of the stream's home makes it. So a list of streams
 * makes no region relay them (R5).
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { askEdges, type AskedPorts } from './ask-edges.ts';

/** Of a picture with the width of the smallest rendition. */
const mostPictureBytes = 1_048_576;

/** @throws TangazaError `UNAVAILABLE` where no edge of the home gives one */
export async function pictureOfHome(
  ports: AskedPorts,
  home: RegionId,
  stream: StreamId,
): Promise<Uint8Array> {
  const { fetchAcross, crossings } = ports;
  const what = `The newest picture of ${stream}`;
  const body = await askEdges(ports, { home, name: stream, what }, (httpUrl, signal) =>
    fetchAcross.picture(httpUrl, stream, mostPictureBytes, signal),
  );
  if (!isJpeg(body)) {
    crossings.count(home, 'damaged', body.byteLength);
    throw new TangazaError('UNAVAILABLE', `${home} sent something that is no picture of ${stream}.`);
  }
  crossings.count(home, 'ok', body.byteLength);
  return body;
}

const isJpeg = (body: Uint8Array): boolean => body[0] === 0xff && body[1] === 0xd8;
