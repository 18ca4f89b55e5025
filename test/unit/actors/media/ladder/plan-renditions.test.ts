/** What a period serves, from what its source is. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rendition, type VideoRendition } from '../../../../../cluster/contract/renditions.ts';
import { SourceAudio, SourceVideo } from '../../../../../cluster/contract/contribution.ts';
import { parseLadder } from '../../../../../actors/media/ladder/ladder.ts';
import { planRenditions } from '../../../../../actors/media/ladder/plan-renditions.ts';

const file = new URL('../../../../../config/ladders/default.json', import.meta.url);
const ladder = parseLadder('default', JSON.parse(readFileSync(file, 'utf8')));
const init = { sha256: 'a'.repeat(64), bytes: 700 };

const video = (changes: Record<string, unknown> = {}): SourceVideo =>
  SourceVideo.parse({
    codec: 'h264',
    codecs: 'avc1.64001f',
    width: 1280,
    height: 720,
    sampleAspectRatio: [1, 1],
    frameRate: [30, 1],
    bitDepth: 8,
    bitrateBps: 4_000_000,
    init,
    ...changes,
  });
const audio = SourceAudio.parse({
  codecs: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
  samplesPerFrame: 1024,
  bitrateBps: 127_800,
  init,
});

const names = (source: { video?: SourceVideo; audio?: SourceAudio }): readonly string[] =>
  planRenditions({ ...source, ladder }).map(({ name }) => name);
const videoOf = (source: SourceVideo): readonly VideoRendition[] =>
  planRenditions({ video: source, ladder }).filter((one) => one.kind === 'video');

test('a source that every player takes passes through as the top rung, and nothing as tall is encoded', () => {
  expect(names({ video: video(), audio })).toEqual([
    'h264-720p',
    'h264-480p',
    'h264-360p',
    'h264-240p',
    'aac-128k',
  ]);
  expect(videoOf(video()).map(({ origin }) => origin.kind)).toEqual([
    'passThrough',
    'encode',
    'encode',
    'encode',
  ]);
});

test.each([
  ['HEVC', { codec: 'hevc', codecs: 'hvc1.1.6.L93.B0' }],
  ['AV1', { codec: 'av1', codecs: 'av01.0.05M.08' }],
  ['10 bit H.264', { bitDepth: 10, codecs: 'avc1.6e001f' }],
  ['H.264 4:2:2', { codecs: 'avc1.7a001f' }],
  ['H.264 4:4:4', { codecs: 'avc1.f4001f' }],
])('%s is kept for workers alone, and the top rung is encoded at its height', (_, changes) => {
  const plan = videoOf(video(changes));
  expect(plan.map(({ name }) => name)).toEqual([
    'source',
    'h264-720p',
    'h264-480p',
    'h264-360p',
    'h264-240p',
  ]);
  expect(plan.map(({ origin }) => origin.kind)).toEqual([
    'sourceOnly',
    'encode',
    'encode',
    'encode',
    'encode',
  ]);
});

test.each([
  // A rung of its own height where the ladder has none near it, else the nearest.
  [1060, ['source', 'h264-1060p', 'h264-720p', 'h264-480p', 'h264-360p', 'h264-240p']],
  [800, ['source', 'h264-720p', 'h264-480p', 'h264-360p', 'h264-240p']],
  [2160, ['source', 'h264-1080p', 'h264-720p', 'h264-480p', 'h264-360p', 'h264-240p']],
  [180, ['source', 'h264-180p']],
  [181, ['source', 'h264-180p']],
])('HEVC of %i lines gets the rungs that are worth it', (height, expected) => {
  expect(
    names({ video: video({ codec: 'hevc', codecs: 'hvc1.1.6.L93.B0', width: height * 2, height }) }),
  ).toEqual(expected);
});

test.each([
  [
    'taller than the ladder',
    { height: 2160, width: 3840 },
    ['h264-2160p', 'h264-1080p', 'h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'],
  ],
  ['lower than the ladder', { height: 180, width: 320 }, ['h264-180p']],
  ['as low as the last rung', { height: 240, width: 426 }, ['h264-240p']],
  [
    'upright',
    { height: 1280, width: 720 },
    ['h264-1280p', 'h264-1080p', 'h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'],
  ],
])('a source %s is a ladder too', (_, changes, expected) => {
  expect(names({ video: video(changes) })).toEqual(expected);
});

test('audio alone and video alone are planned; nothing at all is refused', () => {
  expect(names({ audio })).toEqual(['aac-128k']);
  expect(names({ video: video() }).at(-1)).toBe('h264-240p');
  expect(() => planRenditions({ ladder })).toThrowError(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

// Browsers do not deinterlace: a passed-through rung would show combs beside encoded rungs that do not.
test('an interlaced source is not passed through, and every rung of it is deinterlaced', () => {
  const renditions = videoOf(video({ width: 1920, height: 1080, isInterlaced: true }));
  expect(renditions.map(({ name, origin }) => [name, origin.kind])).toEqual([
    ['source', 'sourceOnly'],
    ['h264-1080p', 'encode'],
    ['h264-720p', 'encode'],
    ['h264-480p', 'encode'],
    ['h264-360p', 'encode'],
    ['h264-240p', 'encode'],
  ]);
  const isDeinterlaced = (one: VideoRendition) =>
    one.origin.kind === 'encode' && one.origin.settings.isDeinterlaced === true;
  expect(renditions.slice(1).every(isDeinterlaced)).toBe(true);
  expect(videoOf(video()).some(isDeinterlaced)).toBe(false);
});

test('captions are of every rung or of none', () => {
  expect(videoOf(video({ hasCaptions: true })).every(({ hasCaptions }) => hasCaptions === true)).toBe(true);
  expect(videoOf(video()).some(({ hasCaptions }) => hasCaptions === true)).toBe(false);
});

test('an anamorphic source keeps its shape: encoded rungs have square pixels and its display aspect ratio', () => {
  const [top, second] = videoOf(video({ width: 720, height: 576, sampleAspectRatio: [64, 45] }));
  expect(top).toMatchObject({ width: 720, sampleAspectRatio: [64, 45] });
  expect(second).toMatchObject({ name: 'h264-480p', width: 854, height: 480, sampleAspectRatio: [1, 1] });
});

test('a peak is declared as 1.1 x maxrate, exactly', () => {
  expect(videoOf(video()).map(({ bandwidthBps }) => bandwidthBps)).toEqual([
    5_200_000, 1_540_000, 880_000, 440_000,
  ]);
});

test('a source thinner than its own ladder still comes first', () => {
  const [top, second] = videoOf(video({ bitrateBps: 300_000 }));
  expect(top?.bandwidthBps).toBeGreaterThan(second?.bandwidthBps ?? 0);
});

test('every plan is valid, in order of height and bandwidth, with unique names and even sizes', () => {
  const anySource = fc.record({
    codec: fc.constantFrom('h264', 'hevc', 'av1'),
    width: fc.integer({ min: 64, max: 4096 }),
    height: fc.integer({ min: 64, max: 4096 }),
    sampleAspectRatio: fc.constantFrom([1, 1], [4, 3], [64, 45], [12, 11]),
    frameRate: fc.constantFrom([24_000, 1001], [25, 1], [30, 1], [60, 1]),
    bitrateBps: fc.integer({ min: 10_000, max: 40_000_000 }),
  });
  fc.assert(
    fc.property(anySource, (source) => {
      const plan = planRenditions({ video: video(source), audio, ladder });
      plan.forEach((rendition) => Rendition.parse(rendition));
      expect(new Set(plan.map(({ name }) => name)).size).toBe(plan.length);
      const served = plan
        .filter((one) => one.kind === 'video')
        .filter(({ origin }) => origin.kind !== 'sourceOnly');
      served.slice(1).forEach((rendition, index) => {
        expect(rendition.height).toBeLessThan(served[index]?.height ?? 0);
        expect(rendition.bandwidthBps).toBeLessThan(served[index]?.bandwidthBps ?? 0);
      });
      const made = served.filter(({ origin }) => origin.kind === 'encode');
      for (const { width, height } of made) {
        expect({ oddWidth: width % 2, oddHeight: height % 2 }).toEqual({ oddWidth: 0, oddHeight: 0 });
        expect(height).toBeLessThanOrEqual(source.height);
      }
    }),
  );
});
