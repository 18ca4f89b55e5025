/** Aggregates (RTMP 7.1.6) taken apart: their times, their limit, and a broken rest. */
import { expect, test } from 'vitest';
import { messageTypes } from '../../../../../actors/ingest/rtmp/rtmp-chunks.ts';
import { tagsOf } from '../../../../../actors/ingest/rtmp/rtmp-tags.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';

function aggregate(count: number): Buffer {
  const tags = Array.from({ length: count }, (_, i) => {
    const tag = Buffer.alloc(16);
    tag.writeUInt8(i % 2 === 0 ? 8 : 9, 0);
    tag.writeUIntBE(1, 1, 3);
    tag.writeUIntBE(500 + i, 4, 3);
    tag.writeUInt8(i % 256, 11);
    return tag;
  });
  return Buffer.concat(tags);
}

const tagsIn = (payload: Buffer) => [
  ...tagsOf({ type: messageTypes.aggregate, streamId: 1, timestampMs: 2 ** 32 - 2, payload }),
];

test('the times of an aggregate count from its first tag, across the wrap; a broken rest is left out', () => {
  const tags = tagsIn(Buffer.concat([aggregate(4), aggregate(1).subarray(0, 11)]));
  expect(tags.map(({ kind, timestampMs, payload }) => ({ kind, timestampMs, byte: payload[0] }))).toEqual([
    { kind: 'audio', timestampMs: 2 ** 32 - 2, byte: 0 },
    { kind: 'video', timestampMs: 2 ** 32 - 1, byte: 1 },
    { kind: 'audio', timestampMs: 0, byte: 2 },
    { kind: 'video', timestampMs: 1, byte: 3 },
  ]);
});

// Found by reading: 8 MB of tags of a byte were half a million calls in one turn of the event loop.
test('an aggregate of more tags than a feed has in many seconds is refused', () => {
  expect(tagsIn(aggregate(4096))).toHaveLength(4096);
  expect(() => tagsIn(aggregate(4097))).toThrow(TangazaError);
});
