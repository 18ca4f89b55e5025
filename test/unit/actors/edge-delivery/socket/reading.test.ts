import { expect, test } from 'vitest';
import {
  look,
  mayBytes,
  readsAll,
  type Looked,
  type Reading,
} from '../../../../../actors/edge-delivery/socket/reading.ts';
import { bufferBytes } from '../../../../../actors/edge-delivery/socket/socket-port.ts';

const seen = (bufferedBytes: number, more: Partial<Looked> = {}): Looked => ({
  bufferedBytes,
  isDropped: false,
  nowMs: 1000,
  sureMs: 5,
  ...more,
});
const nothing: Reading = { kind: 'nothing', fromMs: 5, sinceMs: 1000 };

test.each<[string, Reading, Looked, { reading: Reading; steps: readonly string[] }]>([
  ['up to 64 kB, nothing changes', readsAll, seen(mayBytes), { reading: readsAll, steps: [] }],
  [
    'over 64 kB, what may be missed is left',
    readsAll,
    seen(mayBytes + 1),
    { reading: { kind: 'must' }, steps: ['leaveMay'] },
  ],
  [
    'over 256 kB, both',
    readsAll,
    seen(bufferBytes + 1),
    { reading: nothing, steps: ['leaveMay', 'leaveMust'] },
  ],
  [
    'a dropped frame counts as much, however little is buffered by now',
    readsAll,
    seen(0, { isDropped: true }),
    { reading: nothing, steps: ['leaveMay', 'leaveMust'] },
  ],
  [
    'who left one topic leaves the other',
    { kind: 'must' },
    seen(bufferBytes + 1),
    { reading: nothing, steps: ['leaveMust'] },
  ],
  ['who has caught up gets all again', { kind: 'must' }, seen(0), { reading: readsAll, steps: ['joinMay'] }],
  [
    'who has not caught up yet gets what it must',
    { kind: 'must' },
    seen(mayBytes),
    { reading: { kind: 'must' }, steps: [] },
  ],
  ['who had left comes back', nothing, seen(0), { reading: readsAll, steps: ['rejoin'] }],
  ['not before it has drained', nothing, seen(mayBytes), { reading: nothing, steps: [] }],
  [
    'after 30 s it is cut off',
    nothing,
    seen(mayBytes, { nowMs: 31_000 }),
    { reading: nothing, steps: ['cut'] },
  ],
])('%s', (_name, reading, looked, wanted) => {
  expect(look(reading, looked)).toEqual(wanted);
});
