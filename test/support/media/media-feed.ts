/** Feeds for the test publisher: FLV tags made from an MP4, legacy or Enhanced RTMP, and the MP4s made by ffmpeg. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import amf from 'node-media-server/src/protocol/amf.js';
import {
  ALL_FORMATS,
  BufferSource,
  EncodedPacketSink,
  Input,
  type EncodedPacket,
  type InputTrack,
} from 'mediabunny';

const run = promisify(execFile);

export interface FeedTag {
  /** RTMP message type: 8 audio, 9 video, 18 script. */
  readonly type: 8 | 9 | 18;
  readonly timestampMs: number;
  readonly body: Buffer;
  readonly isKey: boolean;
}

export interface Feed {
  /** Metadata and sequence headers: sent first, also by who joins late. */
  readonly headers: readonly FeedTag[];
  /** In order of time. */
  readonly tags: readonly FeedTag[];
  readonly durationMs: number;
}

/** Runs ffmpeg once; throws with its last words when it fails. */
export async function ffmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', '-y', ...args], { maxBuffer: 1 << 20 });
}

export interface ClipOptions {
  readonly seconds?: number;
  /** e.g. `640x360`. */
  readonly size?: string;
  readonly fps?: number;
  /** Keyframe interval in frames. */
  readonly gop?: number;
  readonly bFrames?: number;
  readonly codec?: 'h264' | 'hevc' | 'av1';
  readonly audio?: boolean;
  readonly video?: boolean;
  readonly videoArgs?: readonly string[];
}

const encoders = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-tag:v', 'hvc1'],
  av1: ['-c:v', 'libsvtav1', '-preset', '12', '-pix_fmt', 'yuv420p'],
};

/** An MP4 of moving test pictures and a tone. */
export async function makeClip(path: string, options: ClipOptions = {}): Promise<string> {
  await ffmpeg([...clipArguments(options), '-f', 'mp4', path]);
  return path;
}

function clipArguments(options: ClipOptions): readonly string[] {
  const { seconds = 6, size = '320x180', fps = 25, codec = 'h264', audio = true, video = true } = options;
  return [
    ...(video ? ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`] : []),
    ...(audio ? ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`] : []),
    ...(video ? [...encoders[codec], ...gopArguments(options), ...(options.videoArgs ?? [])] : []),
    ...(audio ? ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'] : []),
  ];
}

function gopArguments({ codec = 'h264', fps = 25, gop = fps, bFrames = 0 }: ClipOptions): readonly string[] {
  if (codec === 'av1') return ['-g', String(gop)];
  if (codec === 'h264')
    return ['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-bf', String(bFrames)];
  return [
    '-x265-params',
    `log-level=none:keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${bFrames}:open-gop=0`,
  ];
}

/** A temporary folder that goes with its scope. */
export async function temporaryFolder(
  parent = tmpdir(),
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(parent, 'tangaza-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const keptClips = resolve(import.meta.dirname, '../../../.toolchain/clips');

/** Clips of so many seconds are kept: it takes five seconds of a core to make one. */
const keptFromSeconds = 60;

/** Makes a clip and reads it as a feed. A long clip is kept, one for each set of arguments: many files publish the same minutes of video. */
export async function makeFeed(options: ClipOptions = {}): Promise<Feed> {
  if ((options.seconds ?? 0) >= keptFromSeconds) return await readFeed(await keptClip(options));
  await using folder = await temporaryFolder();
  return await readFeed(await makeClip(join(folder.path, 'clip.mp4'), options));
}

async function keptClip(options: ClipOptions): Promise<string> {
  const name = createHash('sha256')
    .update(JSON.stringify(clipArguments(options)))
    .digest('hex');
  const kept = join(keptClips, `${name}.mp4`);
  if (existsSync(kept)) return kept;
  await mkdir(keptClips, { recursive: true });
  // Others may make it at the same time: who reads sees a whole one.
  await using folder = await temporaryFolder(keptClips);
  await rename(await makeClip(join(folder.path, 'clip.mp4'), options), kept);
  return kept;
}

/** The tags of an MP4: H.264 and AAC as legacy FLV, HEVC and AV1 as Enhanced RTMP. */
export async function readFeed(
  path: string,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<Feed> {
  const file = await readFile(path);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file) });
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  const headers: FeedTag[] = [];
  const tags: FeedTag[] = [];
  const rate =
    video === null
      ? {}
      : { framerate: Math.round((await video.computePacketStats(200)).averagePacketRate * 1000) / 1000 };
  headers.push(script({ encoder: 'tangaza test publisher', ...rate, ...metadata }));
  if (video !== null) {
    const config = await video.getDecoderConfig();
    const codec = await video.getCodec();
    const header = videoHeader(
      codec ?? '',
      codec === 'av1' ? boxOf(file, 'av1C') : bytesOf(config?.description),
    );
    if (header !== undefined) headers.push(header);
    tags.push(...videoTags(codec ?? '', await packetsOf(video)));
  }
  if (audio !== null) {
    const config = await audio.getDecoderConfig();
    headers.push({
      type: 8,
      timestampMs: 0,
      body: Buffer.concat([Buffer.of(0xaf, 0), bytesOf(config?.description)]),
      isKey: false,
    });
    for (const packet of await packetsOf(audio)) {
      const timestampMs = Math.max(0, Math.round(packet.timestamp * 1000));
      tags.push({
        type: 8,
        timestampMs,
        body: Buffer.concat([Buffer.of(0xaf, 1), packet.data]),
        isKey: false,
      });
    }
  }
  tags.sort((a, b) => a.timestampMs - b.timestampMs);
  return { headers, tags, durationMs: Math.round((await input.computeDuration()) * 1000) };
}

export function script(metadata: Readonly<Record<string, unknown>>): FeedTag {
  return {
    type: 18,
    timestampMs: 0,
    body: amf.amf0Encode(['@setDataFrame', 'onMetaData', metadata]),
    isKey: false,
  };
}

function bytesOf(description: ArrayBufferLike | ArrayBufferView | undefined): Buffer {
  if (description === undefined) return Buffer.alloc(0);
  return ArrayBuffer.isView(description)
    ? Buffer.from(description.buffer, description.byteOffset, description.byteLength)
    : Buffer.from(description);
}

/** Body of the first box of that type: WebCodecs, and so mediabunny, has no description for AV1. */
function boxOf(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, 'latin1');
  return at < 4 ? Buffer.alloc(0) : file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}

async function packetsOf(track: InputTrack): Promise<readonly EncodedPacket[]> {
  const packets: EncodedPacket[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  return packets;
}

const fourCc = new Map([
  ['hevc', 'hvc1'],
  ['av1', 'av01'],
]);

function videoHeader(codec: string, configuration: Buffer): FeedTag | undefined {
  if (configuration.length === 0) return undefined;
  const enhanced = fourCc.get(codec);
  const prefix =
    enhanced === undefined
      ? Buffer.of(0x17, 0, 0, 0, 0)
      : Buffer.concat([Buffer.of(0x90), Buffer.from(enhanced, 'latin1')]);
  return { type: 9, timestampMs: 0, body: Buffer.concat([prefix, configuration]), isKey: false };
}

/** Decode times are the sorted presentation times, moved so that no composition time is negative. */
function videoTags(codec: string, packets: readonly EncodedPacket[]): readonly FeedTag[] {
  const times = packets.map(({ timestamp }) => Math.round(timestamp * 1000));
  const sorted = times.toSorted((a, b) => a - b);
  const shift = Math.max(...times.map((time, index) => (sorted[index] ?? 0) - time));
  return packets.map(({ data, type }, index) => {
    const isKey = type === 'key';
    const timestampMs = sorted[index] ?? 0;
    const compositionMs = (times[index] ?? 0) - timestampMs + shift;
    return {
      type: 9,
      timestampMs,
      body: Buffer.concat([framePrefix(codec, isKey, compositionMs), data]),
      isKey,
    };
  });
}

function framePrefix(codec: string, isKey: boolean, compositionMs: number): Buffer {
  const composition = Buffer.alloc(3);
  composition.writeIntBE(compositionMs, 0, 3);
  const frameType = isKey ? 1 : 2;
  const enhanced = fourCc.get(codec);
  if (enhanced === undefined) return Buffer.concat([Buffer.of((frameType << 4) | 7, 1), composition]);
  // CodedFramesX (3) has no composition time; HEVC's CodedFrames (1) has one, AV1's has none.
  const packetType = codec === 'hevc' && compositionMs !== 0 ? 1 : codec === 'hevc' ? 3 : 1;
  const head = Buffer.concat([
    Buffer.of(0x80 | (frameType << 4) | packetType),
    Buffer.from(enhanced, 'latin1'),
  ]);
  return packetType === 1 && codec === 'hevc' ? Buffer.concat([head, composition]) : head;
}
