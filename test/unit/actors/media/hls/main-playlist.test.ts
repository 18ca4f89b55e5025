/** The HLS main playlist: variants, audio group, pathways, devices, changing ladders. */
import { describe, expect, test } from 'vitest';
import { mainPlaylist } from '../../../../../actors/media/hls/main-playlist.ts';
import type { ManifestOptions } from '../../../../../actors/media/timeline/manifest-options.ts';
import { NodeId } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import {
  audioRendition,
  fullLadder,
  passThroughOnly,
  region,
  sourceOnlyLadder,
  stream,
} from '../../../../support/ports/records.ts';

const options: ManifestOptions = {
  streamId: stream,
  dvrWindowSeconds: 60,
  leastHoldBackSeconds: 6,
  edges: { revision: 0, edges: [] },
};
const edge = (id: string, baseUrl: string) => ({ id: NodeId.parse(id), region, baseUrl });
const twoEdges = { revision: 3, edges: [edge('n1', 'http://a:8080'), edge('n2', 'http://b:8081')] };

const variants = (playlist: string): readonly string[] =>
  playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('a stream without edges lists its rungs and its audio by relative addresses', () => {
  const timeline = new LogBuilder().open().clock(passThroughOnly).segments(3, { bytes: 25_000 }).fold();
  expect(mainPlaylist(timeline, options)).toBe(
    [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Main",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="aac-128k",URI="aac-128k.m3u8"',
      // Peak 960,000 + 140,000. Average: video 3 x 25 kB in 6 s is 100,000; audio 3 x 25 kB in 281 frames is 100,089.
      '#EXT-X-STREAM-INF:BANDWIDTH=1100000,AVERAGE-BANDWIDTH=200089,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x240,' +
        'FRAME-RATE=30.000,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="audio",STABLE-VARIANT-ID="h264-240p"',
      'h264-240p.m3u8',
      '',
    ].join('\n'),
  );
});

test('captions in the pictures are signalled for every variant', () => {
  const captioned = passThroughOnly.map((one) =>
    one.kind === 'video' ? { ...one, hasCaptions: true } : one,
  );
  const playlist = mainPlaylist(new LogBuilder().open().clock(captioned).segments(3).fold(), options);
  expect(playlist).toContain(
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="Captions",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="CC1"\n',
  );
  expect(playlist).toContain(',CLOSED-CAPTIONS="captions",');
  expect(playlist).not.toContain('CLOSED-CAPTIONS=NONE');
});

test('before the first segment all rungs of the clock are listed, without an average', () => {
  const playlist = mainPlaylist(new LogBuilder().open().clock().fold(), options);
  expect(variants(playlist)).toHaveLength(4);
  expect(playlist).not.toContain('AVERAGE-BANDWIDTH');
});

test('the average never exceeds the peak', () => {
  const timeline = new LogBuilder().open().clock(passThroughOnly).segments(2, { bytes: 9_000_000 }).fold();
  expect(mainPlaylist(timeline, options)).toContain('BANDWIDTH=1100000,AVERAGE-BANDWIDTH=1100000,');
});

test('what only workers get is not listed', () => {
  const timeline = new LogBuilder().open().clock(sourceOnlyLadder).segment().fold();
  expect(variants(mainPlaylist(timeline, options))).toEqual(['h264-480p.m3u8', 'h264-240p.m3u8']);
});

describe('content steering (M14)', () => {
  const timeline = new LogBuilder().open().clock().segment().fold();

  test('however many edges there are, there is one pathway, its addresses relative and its name no edge', () => {
    const playlist = mainPlaylist(timeline, { ...options, edges: twoEdges });
    expect(playlist).toContain(
      '#EXT-X-CONTENT-STEERING:SERVER-URI="/live/demo/steering?base=.",PATHWAY-ID="."\n',
    );
    expect(variants(playlist)).toEqual(
      fullLadder.filter((one) => one.kind === 'video').map((one) => `${one.name}.m3u8`),
    );
    expect(playlist.match(/AUDIO="audio",STABLE-VARIANT-ID="h264-\d+p",PATHWAY-ID="\."\n/g)).toHaveLength(4);
    expect(playlist).not.toContain('http:');
    const oneEdge = { revision: 1, edges: twoEdges.edges.slice(0, 1) };
    expect(mainPlaylist(timeline, { ...options, edges: oneEdge })).toBe(playlist);
  });
});

test('video alone has no audio group, audio alone is a variant of its own', () => {
  const video = new LogBuilder().open().clock(fullLadder.slice(0, 1)).segment().fold();
  expect(mainPlaylist(video, options)).not.toMatch(/AUDIO|mp4a/);
  const audio = new LogBuilder().open().clock([audioRendition]).segment({ bytes: 16_000 }).fold();
  expect(mainPlaylist(audio, options).split('\n').slice(3)).toEqual([
    '#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=63830,CODECS="mp4a.40.2",STABLE-VARIANT-ID="aac-128k"',
    'aac-128k.m3u8',
    '',
  ]);
});

test('a changed ladder lists the rungs of its newest period, once that has a segment', () => {
  const log = new LogBuilder().open().clock().segments(2).clock(passThroughOnly, 5);
  expect(variants(mainPlaylist(log.fold(), options))).toHaveLength(4);
  expect(variants(mainPlaylist(log.segment().fold(), options))).toEqual(['h264-240p.m3u8']);
});

test('a phone gets nothing above 720 lines, a television nothing below 360', () => {
  const timeline = new LogBuilder().open().clock().segment().fold();
  expect(variants(mainPlaylist(timeline, { ...options, device: 'tv' }))).toEqual([
    'h264-720p.m3u8',
    'h264-480p.m3u8',
    'h264-360p.m3u8',
  ]);
});
