/** Ladder files, levels and the encoder's name. */
import { expect, test } from 'vitest';
import { avcCodecs, avcLevel } from '../../../../../actors/media/ladder/avc-level.ts';
import { encoderFingerprint } from '../../../../../actors/media/ladder/encoder-fingerprint.ts';
import { parseLadder } from '../../../../../actors/media/ladder/ladder.ts';

const rung = { height: 720, maxrateBps: 2_800_000, crf: 23, preset: 'veryfast', profile: 'high' };

test('a ladder with one rung is a ladder', () => {
  expect(parseLadder('mine', { rungs: [rung] }).rungs).toEqual([rung]);
});

test.each([
  ['no object', 'rungs'],
  ['no rung', { rungs: [] }],
  ['a word misspelt', { rungs: [{ ...rung, maxrate: 1 }] }],
  ['an odd height', { rungs: [{ ...rung, height: 721 }] }],
  ['a preset that writes Baseline', { rungs: [{ ...rung, preset: 'ultrafast' }] }],
  ['rungs in the wrong order', { rungs: [rung, { ...rung, height: 1080, maxrateBps: 5_000_000 }] }],
  ['two rungs of one height', { rungs: [rung, { ...rung, maxrateBps: 1_000_000 }] }],
  ['a lower rung with more bits', { rungs: [rung, { ...rung, height: 480, maxrateBps: 3_000_000 }] }],
])('a ladder with %s is refused by name', (_, content) => {
  expect(() => parseLadder('mine', content)).toThrowError(
    expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining('mine') }),
  );
});

test('every fault of a ladder is listed at once', () => {
  const faulty = { rungs: [{ ...rung, height: 721, crf: 99 }] };
  expect(() => parseLadder('mine', faulty)).toThrowError(/height.*crf/);
});

test.each([
  [426, 240, [25, 1], 400_000, 21],
  [640, 360, [25, 1], 800_000, 30],
  [854, 480, [25, 1], 1_400_000, 30],
  [854, 480, [30, 1], 1_400_000, 31],
  [1280, 720, [30, 1], 2_800_000, 31],
  [1280, 720, [60, 1], 2_800_000, 32],
  [1920, 1080, [30, 1], 5_000_000, 40],
  [1920, 1080, [30, 1], 30_000_000, 41],
  [1920, 1080, [60, 1], 5_000_000, 42],
  [3840, 2160, [30, 1], 20_000_000, 51],
  [8192, 64, [25, 1], 1_000_000, 51],
] as const)('%i x %i at %j and %i bit/s is level %i', (width, height, frameRate, maxrateBps, level) => {
  expect(avcLevel({ width, height, frameRate: [...frameRate], maxrateBps, profile: 'high', refs: 1 })).toBe(
    level,
  );
});

test('more reference pictures than a level may hold raise it', () => {
  const demand = {
    width: 1280,
    height: 720,
    frameRate: [30, 1] as [number, number],
    maxrateBps: 1_000_000,
    profile: 'high' as const,
  };
  expect(avcLevel({ ...demand, refs: 5 })).toBe(31);
  expect(avcLevel({ ...demand, refs: 6 })).toBe(40);
});

test('codecs strings carry profile, constraints and level', () => {
  expect(avcCodecs('high', 31)).toBe('avc1.64001f');
  expect(avcCodecs('main', 21)).toBe('avc1.4d4015');
});

test('a fingerprint differs with the build, its libraries and our arguments, and names the version', () => {
  const version = 'ffmpeg version 5.1.9-0+deb12u1 Copyright\nlibavcodec 59. 37.100';
  const own = encoderFingerprint(version, 1);
  expect(own).toMatch(/^ffmpeg-5\.1\.9-0\+deb12u1\/args-1\/[0-9a-f]{12}$/);
  expect(encoderFingerprint(`${version}\n`, 1)).toBe(own);
  expect(encoderFingerprint(version, 2)).not.toBe(own);
  expect(encoderFingerprint(version.replace('37.100', '37.101'), 1)).not.toBe(own);
});
