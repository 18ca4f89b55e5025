/** Where a publisher's connection stands, and when it has stood there for too long. Pure. */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { IngestLimits, TagSink } from '../ingest-port.ts';
import type { RtmpMessage } from './rtmp-chunks.ts';

/** Takes bytes until the handshake is done; `done` is what lies behind it. */
export interface HandshakeReader {
  push(data: Buffer): 'garbage' | 'unfinished' | { readonly done: Buffer };
}

export type ConnectionState =
  | { readonly kind: 'handshake'; readonly handshake: HandshakeReader }
  /** `hasPublished`: it has ended a stream here, and owes no other. */
  | { readonly kind: 'commands'; readonly sinceMs: number; readonly hasPublished: boolean }
  | { readonly kind: 'authenticating'; readonly sinceMs: number; readonly held: RtmpMessage[] }
  | { readonly kind: 'publishing'; readonly sink: TagSink }
  | { readonly kind: 'closing'; readonly sinceMs: number };

export interface ConnectionTimes {
  readonly openedAtMs: number;
  readonly lastByteAtMs: number;
  readonly lastMessageAtMs: number;
}

/** What to do with a connection that has waited for too long. */
export type Overdue =
  | {
      readonly kind: 'refuse';
      readonly code: 'PUBLISHER_SILENT' | 'UNAVAILABLE';
      readonly detail: string;
    }
  /** It has published and has nothing more to say. */
  | { readonly kind: 'end' }
  /** A refused peer that does not go. */
  | { readonly kind: 'destroy' };

/** How long a refused peer may go on sending before its socket is destroyed. */
const lingerMs = 2000;
/** Without a whole message, as a multiple of the silence time-out: a sender that drips bytes. */
const dripFactor = 3;

/** @returns undefined while there is time */
export function overdueOf(
  state: ConnectionState,
  times: ConnectionTimes,
  { handshakeTimeoutMs, silenceTimeoutMs }: IngestLimits,
  nowMs: number,
): Overdue | undefined {
  switch (state.kind) {
    case 'handshake':
      return nowMs - times.openedAtMs > handshakeTimeoutMs ? idle(handshakeTimeoutMs) : undefined;
    case 'commands':
      if (nowMs - state.sinceMs <= handshakeTimeoutMs) return undefined;
      return state.hasPublished ? { kind: 'end' } : idle(handshakeTimeoutMs);
    case 'authenticating':
      return nowMs - state.sinceMs > handshakeTimeoutMs
        ? { kind: 'refuse', code: 'UNAVAILABLE', detail: 'the stream key could not be checked in time' }
        : undefined;
    case 'publishing':
      return silence(times, silenceTimeoutMs, nowMs);
    case 'closing':
      return nowMs - state.sinceMs > lingerMs ? { kind: 'destroy' } : undefined;
    default:
      return unreachable(state);
  }
}

const silent = (detail: string): Overdue => ({ kind: 'refuse', code: 'PUBLISHER_SILENT', detail });
const idle = (timeoutMs: number): Overdue => silent(`no publish within ${timeoutMs} ms of connecting`);

function silence(times: ConnectionTimes, timeoutMs: number, nowMs: number): Overdue | undefined {
  if (nowMs - times.lastByteAtMs > timeoutMs) return silent(`nothing came for ${timeoutMs} ms`);
  if (nowMs - times.lastMessageAtMs > dripFactor * timeoutMs)
    return silent(`no whole message came for ${dripFactor * timeoutMs} ms`);
  return undefined;
}
