/** Acknowledgements by the peer's window, and the window of what we send (RTMP 1.0, 5.4.3 to 5.4.5). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveWindow, SendWindow } from '../../../../../actors/ingest/rtmp/windows.ts';

function acknowledged(windowBytes: number | undefined, reads: readonly number[]): readonly number[] {
  const window = new ReceiveWindow();
  if (windowBytes !== undefined) window.announce(windowBytes);
  return reads.flatMap((bytes) => {
    window.take(bytes);
    return window.due() ?? [];
  });
}

const reads = (count: number, bytes: number): readonly number[] => Array.from({ length: count }, () => bytes);

test.each([
  { what: 'no word of a window', windowBytes: undefined, sizes: reads(5, 400_000), is: [1_200_000] },
  { what: 'a window of nothing', windowBytes: 0, sizes: reads(3, 400_000), is: [1_200_000] },
  { what: 'a large window', windowBytes: 2 ** 32 - 1, sizes: reads(3, 400_000), is: [1_200_000] },
  { what: '50,000 bytes', windowBytes: 50_000, sizes: reads(5, 10_000), is: [30_000] },
  { what: 'one byte', windowBytes: 1, sizes: [1, 100], is: [1, 101] },
])('with $what it is acknowledged at $is', ({ windowBytes, sizes, is }) => {
  expect(acknowledged(windowBytes, sizes)).toEqual(is);
});

test('whatever its window, a sender that waits at its end is never left waiting', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000_000 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 200 }),
      (windowBytes, sizes) => {
        const window = new ReceiveWindow();
        window.announce(windowBytes);
        let last = 0;
        for (const size of sizes) {
          window.take(size);
          last = window.due() ?? last;
          expect(window.received - last).toBeLessThan(windowBytes);
        }
      },
    ),
  );
});

test('the sequence number wraps at 2^32', () => {
  const window = new ReceiveWindow();
  window.take(2 ** 32 - 10);
  expect(window.due()).toBe(2 ** 32 - 10);
  window.take(1_000_010);
  expect(window.due()).toBe(1_000_000);
});

const [hard, soft, dynamic] = [0, 1, 2];
test.each([
  { what: 'a hard limit sets it', limits: [[5000, hard]], is: [5000] },
  { what: 'the same limit changes nothing', limits: [[1000, hard]], is: [undefined] },
  {
    what: 'a soft limit only lowers it',
    limits: [
      [5000, soft],
      [500, soft],
    ],
    is: [undefined, 500],
  },
  { what: 'a dynamic limit alone is nothing', limits: [[500, dynamic]], is: [undefined] },
  {
    what: 'a dynamic limit behind a hard one is hard',
    limits: [
      [500, hard],
      [5000, dynamic],
    ],
    is: [500, 5000],
  },
  {
    what: 'a limit of nothing, or of an unknown type, is none',
    limits: [
      [0, hard],
      [500, 3],
    ],
    is: [undefined, undefined],
  },
] as const)('$what', ({ limits, is }) => {
  const window = new SendWindow(1000);
  expect(limits.map(([bytes, type]) => window.limit(bytes, type))).toEqual(is);
});
