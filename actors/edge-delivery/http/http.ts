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
  /** In lower case. */
  readonly method: string;
  /** As sent, and never decoded: all names here need no escapes. */
  readonly path: string;
  /** The text behind `?`, or an empty string. */
  readonly query: string;
  readonly remoteAddress: string;
  /** True once the client has gone. */
  readonly isAborted: boolean;
  /** @param name lower case @returns the empty string when absent */
  header(name: string): string;
  /** @throws TangazaError `BODY_TOO_LARGE`, `BAD_REQUEST` when it does not arrive in time */
  body(): Promise<Uint8Array>;
  /** Calls `listener` once when the client goes, or at once if it has gone already. */
  onAbort(listener: () => void): void;
}

/** A block of headers, made by `head`. */
export type Head = Uint8Array;

/** One form of a body. `etag` includes its quotes. */
export interface Variant {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly head: Head;
}

/** A reply with status 200. The server may answer 206, 304 or 416 instead, and may send a compressed form. */
export interface Entity extends Variant {
  readonly isRangeable: boolean;
  /** Makes the compressed form at its first use. Absent for what is already compressed. */
  readonly gzip?: () => Variant;
  /** Like `gzip`. Pages and assets have it; for a manifest, making it would cost more than it saves. */
  readonly brotli?: () => Variant;
  /** The server counts the requests here. Caches read from it whether the entity is still in use. */
  hits: number;
}

/** Any other reply. */
export interface Message {
  readonly status: number;
  readonly head: Head;
  readonly body: Uint8Array;
  /** True when the connection must be closed, as the rest of the request was not read. */
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

/** The heads of replies that have no header of their own, by content type: our types are few. */
const plainHeads = new Map<string, Head>();

function replyHead(contentType: string, headers: Headers): Head {
  const made = (): Head => head(contentType, { 'cache-control': cachePolicy.none, ...headers });
  if (Object.keys(headers).length > 0) return made();
  const known = plainHeads.get(contentType) ?? made();
  plainHeads.set(contentType, known);
  return known;
}

export const cachePolicy = {
  /** The log names the hash of this content, so it never changes (M5). */
  immutable: 'public, max-age=31536000, immutable',
  manifest: 'public, max-age=1',
  /** The browser keeps it, and asks each time whether it is still the same. */
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
  return { status, head: replyHead(contentType, headers), body: bytes };
}

export function jsonReply(status: number, value: unknown, headers: Headers = {}): Message {
  return messageReply(status, 'application/json', JSON.stringify(value), headers);
}

export function emptyReply(status: number, headers: Headers = {}): Message {
  return { status, head: head('text/plain', headers), body: nothing };
}

/** No caller is told to wait longer than this. */
export const longestWaitSeconds = 3600;

/** After how many seconds to try again, for errors that pass. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  STREAM_NOT_LIVE: 2,
  NOT_PRODUCED_YET: 2,
  OVERLOADED: 1,
  UNAVAILABLE: 5,
  LOG_UNAVAILABLE: 2,
  STORE_UNAVAILABLE: 2,
  DEADLINE_EXCEEDED: 2,
};

/** The problem document (RFC 9457) of an error. `extra` adds members, e.g. `issues`. */
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
