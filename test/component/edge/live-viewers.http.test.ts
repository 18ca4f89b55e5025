/** The viewers of `bench live` against a server that takes note of what they ask for. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { mustBeWatched, watch } from '../../../scripts/bench/live-viewers.ts';

const media = (name: string): string =>
  [
    '#EXTM3U',
    `#EXT-X-MAP:URI="${name}/init.mp4"`,
    ...['#EXTINF:2,', `${name}/0.m4s`, '#EXTINF:2,', `${name}/1.m4s`],
    ...['#EXT-X-GAP', '#EXTINF:2,', `${name}/2.m4s`, '#EXTINF:2,', `${name}/3.m4s`, ''],
  ].join('\n');
const files: Readonly<Record<string, string>> = {
  '/main.m3u8':
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="aac.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n',
  '/low.m3u8': media('low'),
  '/aac.m3u8': media('aac'),
};

// Goal: a viewer asks as a player does. Method: the server ends the viewing once the last segment of each playlist was sent.
test('a viewer begins near the end, asks for init and sound too, leaves gaps alone, and counts faults', async () => {
  const stop = new AbortController();
  const asked: string[] = [];
  const server = createServer(({ url = '' }, reply) => {
    asked.push(url);
    reply.statusCode = url === '/aac/1.m4s' ? 404 : 200;
    reply.end(files[url] ?? 'four');
    const isDone = ['/low/3.m4s', '/aac/3.m4s'].every((last) => asked.includes(last));
    if (isDone) reply.on('close', () => stop.abort());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const result = await watch(`http://127.0.0.1:${port}/main.m3u8`, 1, stop.signal);
  server.close();
  server.closeAllConnections();
  expect(asked.filter((url) => url.startsWith('/low'))).toEqual([
    '/low.m3u8',
    '/low/init.mp4',
    '/low/1.m4s',
    '/low/3.m4s',
  ]);
  expect(asked.filter((url) => url.startsWith('/aac'))).toEqual([
    '/aac.m3u8',
    '/aac/init.mp4',
    '/aac/1.m4s',
    '/aac/3.m4s',
  ]);
  expect(result).toMatchObject({ segments: 4, gaps: 2, faults: 1 });
});

test('figures of viewers that got mostly gaps, or too little, are refused', () => {
  const ten = { viewers: 10, seconds: 60 };
  const viewing = { segments: 600, gaps: 0, bytes: 1, faults: 0 };
  expect(() => mustBeWatched(viewing, ten)).not.toThrow();
  expect(() => mustBeWatched({ ...viewing, gaps: 600 }, ten)).toThrow('600 of 1200 segments were gaps');
  expect(() => mustBeWatched({ ...viewing, segments: 299 }, ten)).toThrow('299 segments of some 600');
});
