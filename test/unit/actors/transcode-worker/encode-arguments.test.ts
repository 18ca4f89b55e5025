/** What ffmpeg is told. */
import { expect, test } from 'vitest';
import {
  afterOverrun,
  encodeArguments,
  globalArguments,
  type RungOutput,
} from '../../../../actors/transcode-worker/encode-arguments.ts';

const output = (name: string, height: number): RungOutput => ({
  name,
  width: height * 2,
  height,
  settings: {
    preset: 'veryfast',
    profile: 'high',
    level: 31,
    crf: 23,
    maxrateBps: 1_000_000,
    bufsizeBits: 1_000_000,
  },
});
const plan = {
  frameRate: [30_000, 1001] as [number, number],
  outputs: [output('h264-480p', 480), output('h264-240p', 240)],
};
const after = (options: readonly string[], name: string): string | undefined =>
  options[options.indexOf(name) + 1];

test('container time is ignored: the rate is that of the task, and no picture is doubled or dropped (M6)', () => {
  const { input, outputs } = encodeArguments(plan);
  expect(after(input, '-r')).toBe('30000/1001');
  outputs.forEach(({ options }) => {
    expect(after(options, '-fps_mode')).toBe('passthrough');
    expect(after(options, '-f')).toBe('h264');
    expect(options).not.toContain('-r');
  });
});

test('the source is decoded once, and each rung is scaled from the decoded picture', () => {
  const { graph, outputs } = encodeArguments(plan);
  expect(graph.filter.match(/\[0:v:0\]/g)).toHaveLength(1);
  expect(graph.filter).toContain('[0:v:0]split=2[copy0][copy1]');
  expect(graph.filter).toContain('[copy1]scale=480:240:');
  expect(graph.pads).toHaveLength(outputs.length);
});

test('fields are made pictures before any scaling, where the rungs want it', () => {
  const interlaced = {
    ...output('h264-480p', 480),
    settings: { ...output('', 480).settings, isDeinterlaced: true },
  };
  const { graph } = encodeArguments({ ...plan, outputs: [interlaced] });
  expect(graph.filter).toMatch(/^\[0:v:0\]yadif=mode=send_frame:deint=interlaced,split=1/);
  expect(encodeArguments(plan).graph.filter).not.toContain('yadif');
});

test('the source is not probed, and its reordering is what it declares, not a guess', () => {
  const { input } = encodeArguments(plan);
  expect(globalArguments(120)).toContain('-nofind_stream_info');
  expect(after(input, '-strict')).toBe('strict');
  expect(after(input, '-f')).toBe('mp4');
});

test('all that ffmpeg and x264 would guess is pinned (M7)', () => {
  const options = encodeArguments(plan).outputs[0]?.options ?? [];
  expect(after(options, '-threads')).toBe('1');
  expect(after(options, '-refs')).toBe('1');
  expect(after(options, '-level:v')).toBe('3.1');
  expect(after(options, '-bf')).toBe('0');
  expect(after(options, '-sc_threshold')).toBe('0');
  expect(Number(after(options, '-g'))).toBeGreaterThan(1200);
  expect(after(options, '-flags')).toBe('+bitexact+cgop');
  expect(after(options, '-x264-params')).toContain('stitchable=1');
});

test('the rate is capped over one second from a buffer that is half full (M8)', () => {
  const options = encodeArguments(plan).outputs[0]?.options ?? [];
  expect(after(options, '-maxrate')).toBe('1000000');
  expect(after(options, '-bufsize')).toBe('1000000');
  expect(after(options, '-crf')).toBe('23');
  expect(after(options, '-x264-params')).toContain('vbv-init=0.5');
  expect(options).not.toContain('-b:v');
});

test('an overrun is tried again with three more of CRF, all else equal (M8)', () => {
  const before = output('h264-480p', 480);
  expect(afterOverrun(before)).toEqual({ ...before, settings: { ...before.settings, crf: 26 } });
});

test('an encoder that outlives its node is ended by the kernel', () => {
  expect(after(globalArguments(60), '-timelimit')).toBe('60');
});
