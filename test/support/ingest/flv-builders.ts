/** Synthetic FLV tags: pictures and audio frames of a few bytes, on any clock, as an encoder would send them. */
import type { FlvTag } from '../../../actors/ingest/ingest-port.ts';
import { IngestSession } from '../../../actors/ingest/ingest-session.ts';
import type { IngestEvent, Now, SourceSegment } from '../../../actors/ingest/ingest-events.ts';
import type { SessionLimits } from '../../../actors/ingest/session-limits.ts';

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** Records written by x264, x265 and SVT-AV1. */
export const configurations = {
  h264: fromHex(
    '0164001effe1001e6764001eacd980a02ff97016a04040a80000030008000003019078b16cd001000668e9786cb22cfdf8f800',
  ),
  h264Other: fromHex('0142c028ffe1001b6742c028da01e0089f97016a020202800001f480007530078c195001000468ce0fc8'),
  h264Pq: fromHex(
    '016e000dffe1001e676e000da6cd941519e226c05a81080120000003002000000601e28532c001000668ebe3cb22c0fdfafa00',
  ),
  hevc: fromHex(
    '0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003f959809210001002a' +
      '42010101600000030090000003000003003fa00502016965959a4932bc05a0200000030020000003032122000100074401c172b46240',
  ),
  av1: fromHex('81010c000a0b0000000cc4ff6700be0010'),
  aac48: fromHex('1190'),
  aac44: fromHex('1210'),
  /** 24 kHz core, SBR to 48 kHz. */
  heAac: fromHex('2b118800'),
} as const;

export const bytes = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

export function lengthPrefixed(...nals: readonly Uint8Array[]): Uint8Array {
  return bytes(...nals.flatMap((nal) => [[0, 0, nal.length >> 8, nal.length & 255], nal]));
}

const signed24 = (value: number): readonly number[] => [(value >> 16) & 255, (value >> 8) & 255, value & 255];

export const video = (timestampMs: number, payload: Uint8Array): FlvTag => ({
  kind: 'video',
  timestampMs: wire(timestampMs),
  payload,
});
export const audio = (timestampMs: number, payload: Uint8Array): FlvTag => ({
  kind: 'audio',
  timestampMs: wire(timestampMs),
  payload,
});

/** As the wire has it: 32 bits. */
export const wire = (ms: number): number => ((ms % 2 ** 32) + 2 ** 32) % 2 ** 32;

export const avcHeader = (timestampMs = 0, record: Uint8Array = configurations.h264): FlvTag =>
  video(timestampMs, bytes([0x17, 0, 0, 0, 0], record));

/** FLV's own keyframe flag is `flag`, which may lie. */
export function avcPicture(
  timestampMs: number,
  nal: Uint8Array,
  { compositionMs = 0, flag = true } = {},
): FlvTag {
  return video(timestampMs, bytes([flag ? 0x17 : 0x27, 1], signed24(compositionMs), lengthPrefixed(nal)));
}

/** Enhanced RTMP with composition time. */
export function enhanced(timestampMs: number, packetType: number, fourcc: string, body: Uint8Array): FlvTag {
  return video(timestampMs, bytes([0x90 | packetType], Buffer.from(fourcc, 'latin1'), body));
}

export const aacHeader = (timestampMs = 0, record: Uint8Array = configurations.aac48): FlvTag =>
  audio(timestampMs, bytes([0xaf, 0], record));
export const aacFrame = (timestampMs: number, content: readonly number[]): FlvTag =>
  audio(timestampMs, bytes([0xaf, 1], content));

/** AMF0 of `onMetaData` with numbers and strings. */
export function metadata(values: Readonly<Record<string, number | string>>): FlvTag {
  const text = (value: string): Uint8Array =>
    bytes([value.length >> 8, value.length & 255], Buffer.from(value, 'latin1'));
  const amf = (value: number | string): Uint8Array => {
    if (typeof value === 'string') return bytes([2], text(value));
    const number = Buffer.alloc(8);
    number.writeDoubleBE(value);
    return bytes([0], number);
  };
  const entries = Object.entries(values).flatMap(([key, value]) => [text(key), amf(value)]);
  return {
    kind: 'script',
    timestampMs: 0,
    payload: bytes(amf('onMetaData'), [8, 0, 0, 0, entries.length], ...entries, [0, 0, 9]),
  };
}

export interface FeedShape {
  readonly seconds: number;
  readonly framesPerSecond?: number;
  /** Media time between IDRs, or the times of the IDRs. */
  readonly gopSeconds?: number;
  readonly keys?: (frame: number) => boolean;
  /** Connection time of the first picture. */
  readonly startMs?: number;
  /** Which frame of the imagined broadcast comes first: two feeds that overlap share content. */
  readonly firstFrame?: number;
  readonly bFrames?: boolean;
  readonly hasVideo?: boolean;
  readonly hasAudio?: boolean;
  readonly hasHeaders?: boolean;
  /** Added to audio's timestamps only. */
  readonly audioShiftMs?: (ms: number) => number;
  readonly videoRecord?: Uint8Array;
  readonly audioRecord?: Uint8Array;
  readonly audioRate?: number;
  readonly samplesPerFrame?: number;
}

/** An IDR or another slice whose content is its frame number. */
export function slice(frame: number, isIdr: boolean): Uint8Array {
  return bytes([isIdr ? 0x65 : 0x41, 0x88, (frame >> 16) & 255, (frame >> 8) & 255, frame & 255, 1]);
}

/** Composition times of I P B B P B B ... as x264 makes them with two B-frames, in frames. */
function reordered(index: number, gop: number): number {
  const inGop = index % gop;
  if (inGop === 0) return 1;
  const phase = (inGop - 1) % 3;
  const isShort = inGop - phase + 2 >= gop;
  if (isShort) return 1;
  return phase === 0 ? 3 : 0;
}

function videoTags(shape: FeedShape): readonly FlvTag[] {
  const {
    seconds,
    framesPerSecond = 25,
    gopSeconds = 2,
    startMs = 0,
    firstFrame = 0,
    bFrames = false,
  } = shape;
  const gop = Math.round(gopSeconds * framesPerSecond);
  const isKey = shape.keys ?? ((frame: number) => frame % gop === 0);
  return Array.from({ length: Math.round(seconds * framesPerSecond) }, (_, i) => {
    const frame = firstFrame + i;
    const dtsMs = startMs + Math.round((i * 1000) / framesPerSecond);
    const compositionMs = bFrames ? Math.round((reordered(frame, gop) * 1000) / framesPerSecond) : 0;
    return avcPicture(dtsMs, slice(frame, isKey(frame)), { compositionMs, flag: isKey(frame) });
  });
}

function audioTags(shape: FeedShape): readonly FlvTag[] {
  const { seconds, startMs = 0, audioRate = 48_000, samplesPerFrame = 1024, audioShiftMs = () => 0 } = shape;
  return Array.from({ length: Math.floor((seconds * audioRate) / samplesPerFrame) }, (_, i) => {
    const ms = Math.round((i * samplesPerFrame * 1000) / audioRate);
    return aacFrame(startMs + ms + audioShiftMs(ms), [0x21, (i >> 8) & 255, i & 255]);
  });
}

/** The tags of a feed in the order of their times as told, headers first. */
export function feed(shape: FeedShape): readonly FlvTag[] {
  const { hasVideo = true, hasAudio = true, hasHeaders = true, startMs = 0 } = shape;
  const headers = [
    ...(hasVideo ? [avcHeader(startMs, shape.videoRecord)] : []),
    ...(hasAudio ? [aacHeader(startMs, shape.audioRecord)] : []),
  ];
  const order = (tag: FlvTag): number =>
    tag.timestampMs - wire(startMs) + (tag.timestampMs < wire(startMs) - 2 ** 31 ? 2 ** 32 : 0);
  const media = [...(hasVideo ? videoTags(shape) : []), ...(hasAudio ? audioTags(shape) : [])];
  return [...(hasHeaders ? headers : []), ...media.toSorted((a, b) => order(a) - order(b))];
}

export interface Played {
  readonly events: readonly IngestEvent[];
  readonly session: IngestSession;
  readonly now: Now;
}

export interface PlayOptions {
  readonly limits?: Partial<SessionLimits>;
  /** The owner's answer; undefined for none. */
  readonly offset90k?: (ordinal: number) => number | undefined;
  /** Wall time at each tag; the default runs with the media, one tag every 10 ms. */
  readonly wallMs?: (index: number, tag: FlvTag) => number;
  /** How long the process has run by that wall time; the default is that it never stood still. */
  readonly ran?: (monotonicMs: number) => number;
  readonly closes?: boolean;
}

const utcAtZeroMs = 1_700_000_000_000;

/** A wall clock that runs with the tags' own times. */
export function wallOfMedia(startMs = 0): (index: number, tag: FlvTag) => number {
  let last = 0;
  return (_, tag) => {
    last = Math.max(last, tag.timestampMs - startMs);
    return last;
  };
}

/** Runs tags through a session, answers `periodReady` at once, closes at the end, and gives all events. */
export function play(tags: readonly FlvTag[], options: PlayOptions = {}): Played {
  const { limits = {}, offset90k = () => 0, wallMs = (index) => index * 14, closes = true } = options;
  const { ran = (monotonicMs: number) => monotonicMs } = options;
  const session = new IngestSession(limits);
  const events: IngestEvent[] = [];
  let now: Now = { monotonicMs: 0, runningMs: 0, utcMs: utcAtZeroMs };
  const note = (some: readonly IngestEvent[]): void => {
    for (const event of some) {
      events.push(event);
      if (event.kind !== 'periodReady') continue;
      const reply = offset90k(event.ordinal);
      if (reply !== undefined) note(session.onPeriodOpened(event.ordinal, { offset90k: reply }, now));
    }
  };
  for (const [index, tag] of tags.entries()) {
    const monotonicMs = wallMs(index, tag);
    now = { monotonicMs, runningMs: ran(monotonicMs), utcMs: utcAtZeroMs + monotonicMs };
    note(session.onTag(tag, now));
  }
  if (closes) note(session.close(now));
  return { events, session, now };
}

export const segmentsOf = ({ events }: Played, ordinal?: number): readonly SourceSegment[] =>
  events.flatMap((event) =>
    event.kind === 'segment' && (ordinal === undefined || event.ordinal === ordinal) ? [event.segment] : [],
  );

export const tailsOf = ({ events }: Played): readonly SourceSegment[] =>
  events.flatMap((event) => (event.kind === 'tail' ? [event.segment] : []));

export const periodsOf = ({ events }: Played) =>
  events.flatMap((event) => (event.kind === 'periodReady' ? [event.period] : []));

export const refusalsOf = ({ events }: Played) =>
  events.flatMap((event) => (event.kind === 'refuse' ? [{ code: event.code, detail: event.detail }] : []));

/** What the log is told. */
export const warningsOf = ({ events }: Played) =>
  events.flatMap((event) => (event.kind === 'warn' && event.isTold ? [event.code] : []));

/** What is counted. */
export const countedOf = ({ events }: Played, code: string): number =>
  events.filter((event) => event.kind === 'warn' && event.code === code).length;
