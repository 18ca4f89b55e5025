import { assert, integer, nat, property } from 'fast-check';
import { expect, test } from 'vitest';
import { makeEntity } from '../../../../../actors/edge-delivery/playback/entity.ts';
import {
  acceptedCodings,
  acceptsGzip,
  parseRange,
  select,
} from '../../../../../actors/edge-delivery/playback/select.ts';

const none = { range: '', ifRange: '', ifNoneMatch: '', acceptEncoding: '' };
const media = makeEntity(new Uint8Array(100), { contentType: 'video/mp4', cacheControl: 'x', tag: 'm' });
const text = makeEntity(new TextEncoder().encode('playlist '.repeat(100)), {
  contentType: 'text/plain',
  cacheControl: 'x',
  tag: 't',
  isText: true,
});

test.each([
  ['bytes=0-9', { start: 0, end: 10 }],
  ['bytes=90-', { start: 90, end: 100 }],
  ['bytes=-10', { start: 90, end: 100 }],
  ['bytes=-1000', { start: 0, end: 100 }],
  ['bytes=99-1000000', { start: 99, end: 100 }],
  ['BYTES=0-0', { start: 0, end: 1 }],
  ['bytes=100-', 'none'],
  ['bytes=1000-2000', 'none'],
  ['bytes=-0', 'none'],
  ['bytes=5-4', 'ignore'],
  ['bytes=-', 'ignore'],
  ['bytes=a-b', 'ignore'],
  ['bytes=0-1,5-6', 'ignore'],
  ['bytes=-5-6', 'ignore'],
  ['items=0-1', 'ignore'],
  ['bytes=99999999999999999999-', 'ignore'],
])('Range %s of 100 bytes is %j', (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected);
});

test('a range that is satisfied lies within the object and is never empty', () => {
  assert(
    property(nat(), nat(), integer({ min: 1, max: 1_000_000 }), (first, last, bytes) => {
      for (const header of [`bytes=${first}-${last}`, `bytes=${first}-`, `bytes=-${last}`]) {
        const range = parseRange(header, bytes);
        if (typeof range === 'string') continue;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThanOrEqual(bytes);
        expect(range.end).toBeGreaterThan(range.start);
      }
    }),
  );
});

test('If-None-Match is answered by 304 for any tag of the list, weak or strong, and for *', () => {
  for (const ifNoneMatch of ['"m"', 'W/"m"', '"a", "m"', '*'])
    expect(select(media, { ...none, ifNoneMatch }).kind).toBe('notModified');
  for (const ifNoneMatch of ['"x"', 'm', '"M"'])
    expect(select(media, { ...none, ifNoneMatch }).kind).toBe('whole');
});

test('If-Range with another tag gives the whole', () => {
  expect(select(media, { ...none, range: 'bytes=0-1', ifRange: '"m"' }).kind).toBe('part');
  expect(select(media, { ...none, range: 'bytes=0-1', ifRange: '"old"' }).kind).toBe('whole');
});

test('the gzip form has its own tag, and a 304 compares with the form that would be sent', () => {
  const gzip = select(text, { ...none, acceptEncoding: 'br, gzip' });
  expect(gzip.kind === 'whole' && gzip.variant.etag).toBe('"t-gzip"');
  expect(select(text, { ...none, acceptEncoding: 'gzip', ifNoneMatch: '"t-gzip"' }).kind).toBe('notModified');
  expect(select(text, { ...none, ifNoneMatch: '"t-gzip"' }).kind).toBe('whole');
});

test.each([
  ['gzip', true],
  ['br;q=1, gzip;q=0.5', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip;q=0.000, *', false],
  ['*;q=0', false],
  ['identity', false],
  ['', false],
])('Accept-Encoding %j takes gzip: %s', (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});

test.each([
  ['', { gzip: false, brotli: false }],
  ['gzip, deflate', { gzip: true, brotli: false }],
  ['gzip, deflate, br, zstd', { gzip: true, brotli: true }],
  ['BR;q=1.0, gzip;q=0.5', { gzip: true, brotli: true }],
  ['br;q=0, gzip', { gzip: true, brotli: false }],
  ['br;q=0, *', { gzip: true, brotli: false }],
  ['*', { gzip: true, brotli: true }],
  ['gzip;q=0, *;q=0.1', { gzip: false, brotli: true }],
  ['identity', { gzip: false, brotli: false }],
])('Accept-Encoding "%s" takes %j', (header, expected) => {
  expect(acceptedCodings(header)).toEqual(expected);
});

test('brotli comes before gzip where there is both, and each form has a tag of its own', () => {
  const page = makeEntity(new TextEncoder().encode('page '.repeat(100)), {
    contentType: 'text/html',
    cacheControl: 'x',
    isText: true,
    hasBrotli: true,
  });
  const tagFor = (acceptEncoding: string): string => {
    const chosen = select(page, { ...none, acceptEncoding });
    return chosen.kind === 'whole' ? new TextDecoder().decode(chosen.variant.head) : chosen.kind;
  };
  expect(tagFor('gzip, br')).toMatch(/content-encoding: br\r\n.*-br"/s);
  expect(tagFor('gzip')).toMatch(/content-encoding: gzip\r\n.*-gzip"/s);
  expect(tagFor('')).not.toContain('content-encoding');
  const playlist = select(text, { ...none, acceptEncoding: 'br' });
  expect(playlist.kind === 'whole' && playlist.variant).toBe(text);
});
