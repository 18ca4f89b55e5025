/**
 * How much of a stream a slow reader still gets (A8).
 *
 * The library bounds what is buffered for a socket, but cannot choose what to drop. So there are two topics. A reader who falls behind first
 * leaves the one that may be missed, then both. Once it has taken what was buffered it comes back, and is told what it missed. One that
 * takes nothing for too long is cut off.
 */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { bufferBytes } from './socket-port.ts';

export type Reading =
  | { readonly kind: 'all' }
  | { readonly kind: 'must' }
  /** `fromMs`: the server time from which on it lacks messages. `sinceMs`: since when, in running time. */
  | { readonly kind: 'nothing'; readonly fromMs: number; readonly sinceMs: number };

export interface Looked {
  readonly bufferedBytes: number;
  readonly isDropped: boolean;
  readonly nowMs: number;
  /** The server time of a frame that every reader of the stream surely got, if it got any. */
  readonly sureMs: number;
}

export type Step = 'leaveMay' | 'leaveMust' | 'joinMay' | 'rejoin' | 'cut';

export const mayBytes = 65_536;
/** Not zero: acknowledgements of its own may be under way. */
const drainedBytes = 16_384;
const slowMs = 30_000;

export const readsAll: Reading = { kind: 'all' };
const readsMust: Reading = { kind: 'must' };

/** @returns what it reads from now on, and what to do, in this order */
export function look(
  reading: Reading,
  looked: Looked,
): { readonly reading: Reading; readonly steps: readonly Step[] } {
  const { bufferedBytes, nowMs } = looked;
  switch (reading.kind) {
    case 'all':
      if (isFull(looked)) return { reading: nothingFrom(looked), steps: ['leaveMay', 'leaveMust'] };
      return bufferedBytes > mayBytes ? { reading: readsMust, steps: ['leaveMay'] } : { reading, steps: [] };
    case 'must':
      if (isFull(looked)) return { reading: nothingFrom(looked), steps: ['leaveMust'] };
      return bufferedBytes <= drainedBytes
        ? { reading: readsAll, steps: ['joinMay'] }
        : { reading, steps: [] };
    case 'nothing':
      if (bufferedBytes <= drainedBytes) return { reading: readsAll, steps: ['rejoin'] };
      return { reading, steps: nowMs - reading.sinceMs >= slowMs ? ['cut'] : [] };
    default:
      return unreachable(reading);
  }
}

const isFull = ({ bufferedBytes, isDropped }: Looked): boolean => isDropped || bufferedBytes > bufferBytes;

const nothingFrom = ({ sureMs, nowMs }: Looked): Reading => ({
  kind: 'nothing',
  fromMs: sureMs,
  sinceMs: nowMs,
});
