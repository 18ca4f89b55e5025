/** What broadcasters type for a URL, as encoders hand it over. */
import { expect, test } from 'vitest';
import { readPublishUrl } from '../../../../../actors/ingest/rtmp/publish-url.ts';

const key = 'demo_pM0-x_9';

test.each([
  { what: 'as it should be', app: 'live', name: key },
  { what: 'a slash behind the application', app: 'live/', name: key },
  { what: 'slashes around the key', app: 'live', name: `/${key}/` },
  { what: 'slashes doubled', app: 'live//', name: `//${key}` },
  { what: 'blanks around the key', app: 'live', name: ` \t${key}\r\n` },
  { what: 'a blank that does not show, from a chat', app: 'live', name: `\u00a0${key}\u200b` },
  { what: 'blanks around the application', app: ' live ', name: key },
  { what: 'blanks, percent-encoded', app: 'live', name: `%20${key}%0A` },
  { what: 'quotation marks around the key', app: 'live', name: `"${key}"` },
  { what: 'an underscore, percent-encoded', app: 'live', name: 'demo%5FpM0-x%5f9' },
  { what: 'a slash, percent-encoded', app: 'live', name: `live%2F${key}` },
  { what: 'a percent sign that encodes nothing', app: 'live', name: '%zz', is: '%zz' },
  { what: "OBS: the whole URL in the server's field, and the key in its own", app: `live/${key}`, name: key },
  { what: "the application in the key's field, and none in the URL", app: '', name: `live/${key}` },
  { what: "the application in the key's field, too", app: 'live', name: `live/${key}` },
  { what: "the whole URL in the key's field", app: 'live', name: `rtmp://host:1935/live/${key}` },
  { what: "the whole URL in the key's field, in capitals", app: 'live', name: `RTMPS://h/live/${key}/` },
])('$what', ({ app, name, is = key }) => {
  expect(readPublishUrl(app, name)).toEqual({ streamKey: is, query: {} });
});

// Taken, and explained should the key not be known.
test.each([
  {
    what: "OBS: the whole URL in the server's field, and an empty key",
    app: `live/${key}`,
    name: '',
    advice: 'the stream key is empty, and the last part of the server was taken for it',
  },
  {
    what: 'ffmpeg: a slash behind the whole URL',
    app: `live/${key}`,
    name: '/',
    advice: 'the stream key is empty, and the last part of the server was taken for it',
  },
  {
    what: 'ffmpeg: no application',
    app: key,
    name: '',
    advice: 'the URL has no "/live/" before the stream key, or no key',
  },
  {
    what: 'another application',
    app: 'stream',
    name: key,
    advice: 'the application of the URL is not "live"',
  },
  {
    what: 'the placeholder',
    app: 'live',
    name: 'STREAM_KEY',
    is: 'STREAM_KEY',
    advice: 'STREAM_KEY stands for your own key',
  },
])('$what is taken, with advice', ({ app, name, advice, is = key }) => {
  const right = 'the server is rtmp://HOST/live, and the stream key is the key alone';
  expect(readPublishUrl(app, name)).toEqual({ streamKey: is, query: {}, advice: `${advice}: ${right}` });
});

test.each([
  { what: 'no key', app: 'live', name: '' },
  { what: 'only a slash', app: 'live/', name: '/' },
  { what: 'nothing at all', app: '', name: ' ' },
  { what: 'a query alone', app: 'live', name: '?priority=1', query: { priority: '1' } },
])('$what is no key', ({ app, name, query = {} }) => {
  expect(readPublishUrl(app, name)).toEqual({ streamKey: '', query });
});

test.each([
  { what: 'two keys, or a folder', app: 'live', name: `x/${key}`, advice: 'slash' },
  { what: 'a URL with more than a key', app: `live/x/${key}`, name: '', advice: 'too long' },
  { what: 'another application and a key', app: `stream/${key}`, name: '', advice: 'too long' },
])('$what is not guessed at: what to change is told, without what was typed', ({ app, name, advice }) => {
  const read = readPublishUrl(app, name);
  expect(read.streamKey).toBe('');
  expect(read.advice).toContain(advice);
  expect(read.advice).not.toContain(key);
});

test.each([
  { app: 'live?region=a', name: `${key}?priority=2`, query: { region: 'a', priority: '2' } },
  { app: 'live?priority=1', name: `/${key}/?priority=2`, query: { priority: '2' } },
  { app: `live/${key}?priority=1`, name: '', query: { priority: '1' } },
  { app: 'live', name: `${key}?name=a%20b&priority= 3 `, query: { name: 'a b', priority: '3' } },
])('the query of app $app and name $name', ({ app, name, query }) => {
  expect(readPublishUrl(app, name)).toMatchObject({ streamKey: key, query });
});
