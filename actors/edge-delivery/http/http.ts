/**
 * HTTP as the edge sees it: a small request, and replies that are whole objects in memory.
 *
 * A reply's headers are one precomputed block of bytes (`Head`), so that serving a cached object costs one header
 * write and no allocation. The block is `content-type`'s value followed by `\r\nname: value` for each other header; only
 * `head` below makes one, and it refuses anything that could break out of a header.
 */
import type { Problem } from '../../../cluster/errors/tangaza-error.ts';
import { problemOf } from '../../../cluster/errors/tangaza-error.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { corsHeaders } from './cors.ts';

export interface HttpRequest {
  /** Lower case. */
  readonly method: string;
  /** As sent, never decoded: everything served here has names that need no escape. */
  readonly path: string;
  /** What follows `?`, or the empty string. */
  readonly query: string;
  readonly remoteAddress: string;
  /** Has the client gone? */
  readonly isAborted: boolean;
  /** @param name lower case @returns the empty string when absent */
  header(name: string): string;
  /** @throws TangazaError `BODY_TOO_LARGE`, `BAD_REQUEST` when it does not arrive in time */
  body(): Promise<Uint8Array>;
  /** Calls `listener` once when the client goes, at once if it has gone. */
  onAbort(listener: () => void): void;
}

/** A header block; made by `head`. */
export type Head = Uint8Array;

/** One form of a body; `etag` has its quotes. */
export interface Variant {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly head: Head;
}

/** Requests, by whoever answers them. */
export interface Tally {
  requests: number;
}

/** A 200 reply that may be answered by 206, 304 or 416 instead, and may have compressed forms. */
export interface Entity extends Variant {
  readonly isRangeable: boolean;
  /** Made at the first call that wants it; absent for what is compressed already. */
  readonly gzip?: () => Variant;
  /** As `gzip`; pages and assets have it, manifests do not: it would cost more to make than it saves. */
  readonly brotli?: () => Variant;
  /** Counted by the server, read by whoever wants to know if it is still in use. */
  hits: number;
  /** Counted by the server as well; several entities may share it. */
  readonly tally?: Tally | undefined;
}

/** Any other reply. */
export interface Message {
  readonly status: number;
  readonly head: Head;
  readonly body: Uint8Array;
  /** The connection cannot go on, for the rest of the request was not read. */
  readonly closes?: boolean;
}

export type Reply = Entity | Message;
export type Handler = (request: HttpRequest) => Reply | Promise<Reply>;

export function isEntity(reply: Reply): reply is Entity {
  return 'etag' in reply;
}

export type Headers = Readonly<Record<string, string>>;

const encoder = new TextEncoder();
const headerName = /^[a-z][a-z0-9-]*$/;
const headerValue = /^[\x20-\x7e]*$/;

const everywhere: Headers = { ...corsHeaders, 'x-content-type-options': 'nosniff' };

/** @throws Error for a name or value that is not printable ASCII: a programmer's error, not a caller's */
export function head(contentType: string, headers: Headers = {}): Head {
  let block = contentType;
  for (const [name, value] of Object.entries({ ...headers, ...everywhere })) {
    if (!headerName.test(name)) throw new Error(`not a header name: ${JSON.stringify(name)}`);
    block += `\r\n${name}: ${value}`;
    if (!headerValue.test(value)) throw new Error(`not a header value: ${name}: ${JSON.stringify(value)}`);
  }
  return encoder.encode(block);
}

export const cachePolicy = {
  /** The name holds the content's time and the log its hash: never other bytes (M5). */
  immutable: 'public, max-age=31536000, immutable',
  manifest: 'public, max-age=1',
  /** Kept, and asked for each time whether it is still the same. */
  page: 'no-cache',
  none: 'no-store',
} as const;

const nothing = new Uint8Array(0);

export function messageReply(
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers: Headers = {},
): Message {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body;
  return { status, head: head(contentType, { 'cache-control': cachePolicy.none, ...headers }), body: bytes };
}

export function jsonReply(status: number, value: unknown, headers: Headers = {}): Message {
  return messageReply(status, 'application/json', JSON.stringify(value), headers);
}

export function emptyReply(status: number, headers: Headers = {}): Message {
  return { status, head: head('text/plain', headers), body: nothing };
}

/** Nobody is told to come again later than this. */
export const longestWaitSeconds = 3600;

/** When to come again, in seconds, for errors that pass. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  STREAM_NOT_LIVE: 2,
  NOT_PRODUCED_YET: 2,
  OVERLOADED: 1,
  UNAVAILABLE: 5,
  LOG_UNAVAILABLE: 2,
  STORE_UNAVAILABLE: 2,
  DEADLINE_EXCEEDED: 2,
};

/** The problem document (RFC 9457) of any error; `extra` are further members, e.g. `issues`. */
export function problemReply(
  error: unknown,
  extra: Readonly<Record<string, unknown>> = {},
  headers: Headers = {},
): Message {
  const problem: Problem = problemOf(error);
  const wait = retryAfterSeconds[problem.code];
  const reply = messageReply(
    problem.status,
    'application/problem+json',
    JSON.stringify({ ...problem, ...extra }),
    {
      ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
      ...(problem.code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="tangaza"' } : {}),
      ...headers,
    },
  );
  return problem.code === 'BODY_TOO_LARGE' ? { ...reply, closes: true } : reply;
}
