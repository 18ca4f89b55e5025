/** Turns media messages of RTMP into FLV tags: audio, video, data in AMF0 and AMF3, and aggregates of them. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { FlvTag } from '../ingest-port.ts';
import { messageTypes, type RtmpMessage } from './rtmp-chunks.ts';

const tagKinds = new Map<number, FlvTag['kind']>([
  [messageTypes.audio, 'audio'],
  [messageTypes.video, 'video'],
  [messageTypes.dataAmf0, 'script'],
]);

/** A second of the fastest video and its sound is 170. */
const maxAggregated = 4096;

/**
 * Payloads are views: valid as long as the message's. An empty message is nothing.
 *
 * @throws TangazaError `MEDIA_INVALID` for an aggregate of more than 4096 tags: all of them are read
 *   in one turn, and nobody else is served meanwhile
 */
export function* tagsOf({ type, timestampMs, payload }: RtmpMessage): Generator<FlvTag> {
  if (payload.length === 0) return;
  const kind = tagKinds.get(type);
  if (kind !== undefined) yield tagOf(kind, timestampMs, payload);
  else if (type === messageTypes.dataAmf3) yield tagOf('script', timestampMs, asAmf0(payload));
  else if (type === messageTypes.aggregate) yield* splitAggregate(payload, timestampMs);
}

function tagOf(kind: FlvTag['kind'], timestampMs: number, payload: Buffer): FlvTag {
  return { kind, timestampMs, payload: kind === 'script' ? scriptBody(payload) : payload };
}

/** A message in "AMF3" is AMF0 behind a zero byte, which some encoders leave out; a value in AMF3 has its own mark. */
export function asAmf0(payload: Buffer): Buffer {
  return payload.length > 0 && payload.readUInt8(0) === 0 ? payload.subarray(1) : payload;
}

/** FLV's script tag body has no `@setDataFrame` before `onMetaData`; RTMP's has. */
export function scriptBody(payload: Buffer): Buffer {
  const marker = Buffer.from('\u0002\u0000\u000d@setDataFrame', 'latin1');
  return payload.subarray(0, marker.length).equals(marker) ? payload.subarray(marker.length) : payload;
}

/** An aggregate message (RTMP 7.1.6) is FLV tags whose times count from the first one's; a broken rest is left out. */
function* splitAggregate(payload: Buffer, timestampMs: number): Generator<FlvTag> {
  let firstMs: number | undefined;
  let count = 0;
  for (let at = 0; at + 11 <= payload.length;) {
    count += 1;
    if (count > maxAggregated)
      throw new TangazaError('MEDIA_INVALID', `an RTMP aggregate of more than ${maxAggregated} tags`);
    const length = payload.readUIntBE(at + 1, 3);
    const tagMs = payload.readUIntBE(at + 4, 3) + payload.readUInt8(at + 7) * 0x1_00_00_00;
    firstMs ??= tagMs;
    const kind = tagKinds.get(payload.readUInt8(at) & 0x1f);
    const body = payload.subarray(at + 11, at + 11 + length);
    if (kind !== undefined && body.length === length && length > 0)
      yield tagOf(kind, (timestampMs + tagMs - firstMs) >>> 0, body);
    at += 11 + length + 4;
  }
}
