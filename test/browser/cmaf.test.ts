/** CMAF segments in Media Source Extensions, and clips as plain files, in Chromium. */
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { writeClip } from '../../actors/media/cmaf/clip.ts';
import { writeInit, writeSegment } from '../../actors/media/cmaf/writer.ts';
import {
  encodeAudio,
  encodeVideo,
  splitAtKeys,
  splitEvery,
  type EncodedMedia,
} from '../support/media/encoded-media.ts';

const executablePath = resolve(import.meta.dirname, '../../.toolchain/bin/chromium');
const args = ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio'];

// Goal: what we write is one unbroken buffer that starts where it says, and a clip plays to its end with every picture.
// Method: 4 s with 3 B-frames and AAC 10 ms late; segments from 0 through MSE, a clip of segments from 60 s as a file.
test('Chromium buffers segments without a hole and plays a clip from 0 to its end', async () => {
  const video = await encodeVideo(['-c:v', 'libx264', '-preset', 'veryfast', '-g', '60', '-bf', '3']);
  const audio = await encodeAudio();
  await using browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage();

  const fromZero = [fileOf(video, splitAtKeys(video), 0), fileOf(audio, splitEvery(audio, 94), 480)];
  const buffered = await page.evaluate(bufferAll, [
    { mime: 'video/mp4; codecs="avc1.64000d"', base64: Buffer.concat(fromZero[0] ?? []).toString('base64') },
    { mime: 'audio/mp4; codecs="mp4a.40.2"', base64: Buffer.concat(fromZero[1] ?? []).toString('base64') },
  ]);
  expect(buffered.map((ranges) => ranges.map((range) => range.map(toMs)))).toEqual([
    [[0, 4000]],
    [[10, 4031]],
  ]);

  const [videoInit = new Uint8Array(), ...videoSegments] = fileOf(video, splitAtKeys(video), 5_400_000);
  const [audioInit = new Uint8Array(), ...audioSegments] = fileOf(audio, splitEvery(audio, 94), 2_880_480);
  const clip = writeClip({
    video: { init: videoInit, segments: videoSegments },
    audio: { init: audioInit, segments: audioSegments },
  });
  const played = await page.evaluate(playToEnd, Buffer.from(clip).toString('base64'));
  expect(played).toEqual({ start: 0, duration: 4.031, frames: 120 });
});

const toMs = (seconds: number): number => Math.round(seconds * 1000);

/** Init segment and segments, moved to begin at `base`. */
function fileOf(
  { track }: EncodedMedia,
  runs: ReturnType<typeof splitAtKeys>,
  base: number,
): readonly Uint8Array[] {
  const segments = runs.map(({ samples, end }) =>
    writeSegment(
      track,
      samples.map((sample) => ({ ...sample, pts: sample.pts + base })),
      end + base,
    ),
  );
  return [writeInit(track), ...segments];
}

/** In the page: appends each file to a source buffer of its own; the buffered ranges in seconds. */
async function bufferAll(files: readonly { mime: string; base64: string }[]): Promise<number[][][]> {
  const element = document.createElement('video');
  const source = new MediaSource();
  element.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
  const buffers = files.map(({ mime }) => source.addSourceBuffer(mime));
  for (const [index, { base64 }] of files.entries()) {
    const updated = new Promise((done) =>
      buffers[index]?.addEventListener('updateend', done, { once: true }),
    );
    buffers[index]?.appendBuffer(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
    await updated;
  }
  return buffers.map(({ buffered: ranges }) =>
    Array.from({ length: ranges.length }, (_, index) => [ranges.start(index), ranges.end(index)]),
  );
}

/** In the page: plays a file at four times the speed. @throws when it does not decode */
async function playToEnd(base64: string): Promise<{ start: number; duration: number; frames: number }> {
  const element = document.createElement('video');
  element.src = `data:video/mp4;base64,${base64}`;
  element.playbackRate = 4;
  document.body.append(element);
  const ended = new Promise((done, fail) => {
    element.addEventListener('ended', done, { once: true });
    element.addEventListener('error', () => fail(new Error(element.error?.message)), { once: true });
  });
  await element.play();
  await ended;
  const { totalVideoFrames: frames } = element.getVideoPlaybackQuality();
  return { start: element.buffered.start(0), duration: Math.round(element.duration * 1000) / 1000, frames };
}
