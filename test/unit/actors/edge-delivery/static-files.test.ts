import { expect, test } from 'vitest';
import { contentTypeOf, serveStatic } from '../../../../actors/edge-delivery/static-files.ts';

const body = new TextEncoder().encode('<p>hello</p>'.repeat(20));
const serve = serveStatic([
  { path: '/', contentType: contentTypeOf('index.html'), body },
  { path: '/watch/{id}', contentType: contentTypeOf('watch.html'), body },
  { path: '/assets/a.js', contentType: contentTypeOf('a.js'), body, isImmutable: true },
]);
const headOf = (path: string): string => new TextDecoder().decode(serve(path)?.head);

test('only the paths of the map are served, and ids only where the map has one', () => {
  expect(['/', '/watch/demo', '/assets/a.js'].map((path) => serve(path) !== undefined)).toEqual([
    true,
    true,
    true,
  ]);
  for (const path of [
    '/watch/',
    '/watch/../x',
    '/watch/a/b',
    '/watch/A',
    '/watch/%2e%2e',
    '/assets/../etc/passwd',
    '/assets/',
    '/x',
  ]) {
    expect(serve(path)).toBeUndefined();
  }
});

test('pages are checked each time, immutable assets never', () => {
  expect(headOf('/')).toContain('cache-control: no-cache');
  expect(headOf('/assets/a.js')).toContain('immutable');
});

test('text has a gzip form', () => {
  expect(serve('/')?.gzip?.().body.byteLength).toBeLessThan(body.byteLength);
});
