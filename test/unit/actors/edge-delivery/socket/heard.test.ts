import { expect, test } from 'vitest';
import { hear } from '../../../../../actors/edge-delivery/socket/heard.ts';
import { clientIdOf } from '../../../../support/audience/said.ts';

const bytesOf = (message: unknown): ArrayBuffer => {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
};
const id = 'demo~01jdvh1c2k0000000000000000';

test.each([
  [
    { type: 'comment', clientId: clientIdOf(1), text: 'a', mood: 'glad' },
    { to: 'comment', clientId: clientIdOf(1) },
  ],
  [{ type: 'comment', clientId: 'x', text: 'a' }, { to: 'comment' }],
  [
    { type: 'like', id, strength: 3 },
    { to: 'like', id },
  ],
  [{ type: 'react', kind: 'heart', from: 'here' }, { to: 'react' }],
  [{ type: 'dance' }, undefined],
  [[], undefined],
])('a fault names what it is in, so that a newer page knows what was not taken: %j', (message, about) => {
  const heard = hear(bytesOf(message), false);
  expect({ kind: heard.kind, about: 'about' in heard ? heard.about : undefined }).toEqual({
    kind: 'fault',
    about,
  });
});
