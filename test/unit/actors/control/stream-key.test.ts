import { expect, test } from 'vitest';
import { deriveStreamKey, hashStreamKey } from '../../../../actors/control/stream-key.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';

const id = StreamId.parse('demo');

test('a key follows from secret, stream and salt, and from nothing else', () => {
  const key = deriveStreamKey('secret', id, 'salt');
  expect(deriveStreamKey('secret', id, 'salt')).toBe(key);
  const others = [
    deriveStreamKey('other', id, 'salt'),
    deriveStreamKey('secret', StreamId.parse('demo2'), 'salt'),
    deriveStreamKey('secret', id, 'pepper'),
  ];
  expect(new Set([key, ...others]).size).toBe(4);
});

test('a key may stand in an RTMP URL as it is', () => {
  expect(deriveStreamKey('secret', id, 'salt')).toMatch(/^demo_[A-Za-z0-9_-]{27}$/);
});

test('the hash does not show the key', () => {
  expect(hashStreamKey('demo_abc')).toMatch(/^[0-9a-f]{64}$/);
});
