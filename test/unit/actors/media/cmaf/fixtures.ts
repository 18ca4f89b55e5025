/** Tracks and samples for the CMAF tests: real codec configurations, made-up payloads. */
import type { AudioTrack, Sample, VideoTrack } from '../../../../../actors/media/cmaf/cmaf.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** x264, High at level 3.1, 1280x720. */
export const h264Track: VideoTrack = {
  kind: 'video',
  codec: 'h264',
  width: 1280,
  height: 720,
  sampleAspectRatio: [1, 1],
  configuration: bytes(
    '0164001f ffe1 001b 6764001facd9405005bb016a02020280000003008000001e478c18cb 01 0006 68ebe3cb22c0 fdf8f800',
  ),
  timescale: 90_000,
};

/** AAC-LC, 48 kHz, stereo. */
export const aacTrack: AudioTrack = {
  kind: 'audio',
  sampleRate: 48_000,
  channels: 2,
  configuration: Uint8Array.of(0x11, 0x90),
  timescale: 48_000,
};

/** @param times presentation times in decode order; the first is the key picture */
export function pictures(times: readonly number[], payloadBytes = 32): readonly Sample[] {
  return times.map((pts, index) => ({ pts, isKey: index === 0, data: payload(payloadBytes + index, index) }));
}

/** @param duration of each frame, in ticks */
export function audioFrames(count: number, start = 0, duration = 1024): readonly Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    pts: start + index * duration,
    isKey: true,
    data: payload(24 + index, index),
  }));
}

/** One length-prefixed NAL unit: an IDR for seed 0, else another slice. */
function payload(length: number, seed: number): Uint8Array {
  const data = new Uint8Array(length).fill(0x80 | (seed & 0x3f));
  new DataView(data.buffer).setUint32(0, length - 4);
  data[4] = seed === 0 ? 0x65 : 0x41;
  return data;
}
