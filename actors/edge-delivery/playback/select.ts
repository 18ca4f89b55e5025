/**
 * Decides which part and form of an entity answers a request: conditions, encodings and ranges of RFC 9110.
 *
 * A request for more than one range gets the whole object (RFC 9110 14.2 lets a server ignore Range). A range that cannot be read is
 * ignored. A range behind the end is answered 416.
 */
import type { Entity, Variant } from '../http/http.ts';

export interface Conditions {
  readonly range: string;
  readonly ifRange: string;
  readonly ifNoneMatch: string;
  readonly acceptEncoding: string;
}

export type Selection =
  | { readonly kind: 'whole'; readonly variant: Variant }
  | { readonly kind: 'part'; readonly variant: Variant; readonly start: number; readonly end: number }
  | { readonly kind: 'notModified'; readonly variant: Variant }
  | { readonly kind: 'notSatisfiable'; readonly bytes: number };

export function select(entity: Entity, conditions: Conditions): Selection {
  const variant = codingOf(entity, conditions.acceptEncoding);
  if (conditions.ifNoneMatch !== '' && matchesTag(conditions.ifNoneMatch, variant.etag))
    return { kind: 'notModified', variant };
  const isRangeAsked =
    entity.isRangeable &&
    conditions.range !== '' &&
    (conditions.ifRange === '' || conditions.ifRange === variant.etag);
  const range = isRangeAsked ? parseRange(conditions.range, variant.body.byteLength) : 'ignore';
  if (range === 'ignore') return { kind: 'whole', variant };
  if (range === 'none') return { kind: 'notSatisfiable', bytes: variant.body.byteLength };
  return { kind: 'part', variant, ...range };
}

/** The bytes `[start, end)` of an object; `ignore` for anything but a single byte range, `none` for a range behind the end. */
export function parseRange(
  header: string,
  bytes: number,
): { readonly start: number; readonly end: number } | 'ignore' | 'none' {
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return 'ignore';
  if (first === '') {
    const count = Math.min(Number(last), bytes);
    return count === 0 ? 'none' : { start: bytes - count, end: bytes };
  }
  const start = Number(first);
  const end = last === '' ? bytes : Math.min(Number(last) + 1, bytes);
  if (last !== '' && Number(last) < start) return 'ignore';
  return start >= bytes ? 'none' : { start, end };
}

/** If-None-Match compares weakly (RFC 9110 13.1.2), so a `W/` in front does not matter. */
function matchesTag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}

/** Which compressed forms a reader takes. */
export interface Codings {
  readonly gzip: boolean;
  readonly brotli: boolean;
}

/** The form of a body for a reader: brotli before gzip, as it is smaller. */
export function codingOf(entity: Entity, acceptEncoding: string): Variant {
  if (entity.gzip === undefined) return entity;
  const { gzip, brotli } = acceptedCodings(acceptEncoding);
  if (brotli && entity.brotli !== undefined) return entity.brotli();
  return gzip ? entity.gzip() : entity;
}

/** The parsed headers: players send a handful of spellings, and each is parsed once. */
const codings = new Map<string, Codings>();
const maxCodings = 64;
const none: Codings = { gzip: false, brotli: false };

/** `gzip`, `x-gzip`, `br` or `*`, not forbidden by `q=0` (RFC 9110 12.5.3). */
export function acceptedCodings(header: string): Codings {
  if (header === '') return none;
  const known = codings.get(header);
  if (known !== undefined) return known;
  const answer = readAcceptEncoding(header);
  if (codings.size < maxCodings) codings.set(header, answer);
  return answer;
}

export function acceptsGzip(header: string): boolean {
  return acceptedCodings(header).gzip;
}

function readAcceptEncoding(header: string): Codings {
  const named = new Map<string, boolean>();
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    named.set(coding, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)));
  }
  const others = named.get('*') ?? false;
  return {
    gzip: named.get('gzip') ?? named.get('x-gzip') ?? others,
    brotli: named.get('br') ?? others,
  };
}
