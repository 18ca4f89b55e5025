/**
 * What stands in a stream's log, and what its owner writes next: a model of the owner, without media.
 *
 * Each source waits until it is decided, in order. A few wait at a time, so that a successor always finds some. A publisher that has
 * connected again opens a period.
 */
import type { BootId, Epoch, NodeId } from '../../cluster/model/ids.ts';

export type Body =
  | { readonly kind: 'open' }
  | { readonly kind: 'clock'; readonly connection: number }
  | { readonly kind: 'source'; readonly start: number }
  | { readonly kind: 'commit'; readonly number: number; readonly start: number };

export interface LogRecord {
  readonly epoch: Epoch;
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly recordId: string;
  /** The UTC of the author. */
  readonly atMs: number;
  readonly body: Body;
}

export interface Written {
  /** The number of the next decision. */
  readonly nextNumber: number;
  /** Which source comes next. */
  readonly nextStart: number;
  /** The undecided sources, in order. */
  readonly pending: readonly number[];
  /** Which connection of the publisher the period belongs to; 0 before the first. */
  readonly connection: number;
}

export const nothingWritten: Written = { nextNumber: 0, nextStart: 0, pending: [], connection: 0 };

/** The most sources that wait. */
export const maxPending = 2;

export function nextBody({ nextNumber, nextStart, pending, connection }: Written, connected: number): Body {
  const [oldest] = pending;
  const mustDecide = pending.length === maxPending || nextStart % 3 === 0;
  if (oldest !== undefined && mustDecide) return { kind: 'commit', number: nextNumber, start: oldest };
  if (connected !== connection) return { kind: 'clock', connection: connected };
  return { kind: 'source', start: nextStart };
}

export function withBody(written: Written, body: Body): Written {
  switch (body.kind) {
    case 'open':
      return written;
    case 'clock':
      return { ...written, connection: body.connection };
    case 'source':
      return { ...written, nextStart: body.start + 1, pending: [...written.pending, body.start] };
    case 'commit':
      return {
        ...written,
        nextNumber: body.number + 1,
        pending: written.pending.filter((start) => start !== body.start),
      };
    default:
      return body;
  }
}

/** Says why a record does not fit; undefined when it does. */
export function misfitOf({ nextNumber, nextStart, pending }: Written, body: Body): string | undefined {
  if (body.kind === 'source') {
    if (body.start !== nextStart) return `gets source ${body.start} where ${nextStart} comes next`;
    return pending.length < maxPending ? undefined : `forgets its source ${pending[0] ?? 'none'}`;
  }
  if (body.kind !== 'commit') return undefined;
  const { number, start } = body;
  if (number !== nextNumber) return `commits number ${number} where ${nextNumber} comes next`;
  if (pending[0] === start) return undefined;
  return pending.includes(start)
    ? `decides source ${start} before ${pending[0] ?? 'none'}`
    : `decides source ${start}, which does not wait: it is decided, or was never there`;
}
