/**
 * RTMP commands as a publisher and we exchange them: parsed strictly, answered in a few fixed shapes.
 *
 * What strangers send is read by our own bounded AMF0 reader: node-media-server's follows any depth, reads past the end
 * of strings, and prints what it does not know. What we send is written by node-media-server's encoder.
 */
import amf from 'node-media-server/src/protocol/amf.js';
import amfLogger from 'node-media-server/src/core/logger.js';
import { z } from 'zod';
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { Amf0Reader } from '../media/flv/amf0.ts';
import { messageTypes, writeMessage } from './rtmp-chunks.ts';

// Its encoder says `Do strict array!` on the console.
amfLogger.log = () => {};

/** Chunk size we send with; ffmpeg answers with the same, which spares it and us many chunk headers. */
const chunkSize = 65_536;
const windowBytes = 2_500_000;
const maxCommandBytes = 65_536;
const maxDescription = 400;

export type Command =
  | {
      readonly kind: 'connect';
      readonly transaction: number;
      readonly app: string;
      readonly encoder?: string;
      readonly objectEncoding: number;
      /** It understands `reconnectRequest`. */
      readonly canReconnect: boolean;
    }
  | {
      readonly kind: 'createStream' | 'releaseStream' | 'fcPublish' | 'fcUnpublish';
      readonly transaction: number;
    }
  | { readonly kind: 'publish'; readonly name: string }
  | { readonly kind: 'play' }
  | { readonly kind: 'end' }
  | { readonly kind: 'other' };

const text = z.string().max(2048);
const ConnectProperties = z.object({
  app: text.default(''),
  flashVer: z.unknown().optional(),
  objectEncoding: z.unknown().optional(),
  capsEx: z.unknown().optional(),
});
/** Bits of Enhanced RTMP's `capsEx`: reconnect requests, ModEx. */
const [reconnectCap, modExCap] = [1, 4];
const Transaction = z.number().catch(0);

/** @throws TangazaError `MEDIA_INVALID` for what is no AMF0 command */
export function parseCommand(payload: Buffer): Command {
  const [name, transactionValue, object, argument] = decode(payload);
  const transaction = Transaction.parse(transactionValue);
  switch (name) {
    case 'connect':
      return connectCommand(transaction, object);
    case 'createStream':
    case 'releaseStream':
      return { kind: name, transaction };
    case 'FCPublish':
      return { kind: 'fcPublish', transaction };
    case 'FCUnpublish':
      return { kind: 'fcUnpublish', transaction };
    case 'publish':
      return { kind: 'publish', name: text.catch('').parse(argument) };
    case 'play':
    case 'play2':
      return { kind: 'play' };
    case 'deleteStream':
    case 'closeStream':
    case 'close':
      return { kind: 'end' };
    default:
      if (typeof name !== 'string')
        throw new TangazaError('MEDIA_INVALID', 'An RTMP command without a name.');
      return { kind: 'other' };
  }
}

function connectCommand(transaction: number, object: unknown): Command {
  const parsed = ConnectProperties.safeParse(object instanceof Map ? Object.fromEntries(object) : undefined);
  if (!parsed.success) throw new TangazaError('MEDIA_INVALID', 'An RTMP connect without its properties.');
  const { app, flashVer, objectEncoding, capsEx } = parsed.data;
  return {
    kind: 'connect',
    transaction,
    app,
    objectEncoding: typeof objectEncoding === 'number' ? objectEncoding : 0,
    canReconnect: typeof capsEx === 'number' && (capsEx & reconnectCap) !== 0,
    ...(typeof flashVer === 'string' ? { encoder: flashVer.slice(0, 100) } : {}),
  };
}

function decode(payload: Buffer): readonly unknown[] {
  if (payload.length > maxCommandBytes)
    throw new TangazaError('MEDIA_INVALID', 'An RTMP command over 64 kB.');
  const reader = new Amf0Reader(payload);
  const values: unknown[] = [];
  while (reader.hasMore) values.push(reader.value());
  return values;
}

/** The stream key and the query of a publish name, the app's query included: `key?priority=2`. */
export function parsePublishName(
  app: string,
  name: string,
): { streamKey: string; query: Readonly<Record<string, string>> } {
  const [key, nameQuery] = splitQuery(name);
  const query = new Map(
    [...new URLSearchParams(splitQuery(app)[1]), ...new URLSearchParams(nameQuery)].slice(0, 16),
  );
  return { streamKey: key.replaceAll(/^\/+|\/+$/g, ''), query: Object.fromEntries(query) };
}

function splitQuery(value: string): readonly [string, string] {
  const at = value.indexOf('?');
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}

/** FLV's script tag body has no `@setDataFrame` before `onMetaData`; RTMP's has. */
export function scriptBody(payload: Buffer): Buffer {
  const marker = Buffer.from('\u0002\u0000\u000d@setDataFrame', 'latin1');
  return payload.subarray(0, marker.length).equals(marker) ? payload.subarray(marker.length) : payload;
}

const control = (type: number, payload: Buffer): Buffer =>
  writeMessage({ chunkStreamId: 2, type, streamId: 0, payload }, chunkSize);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function command(streamId: number, ...values: readonly unknown[]): Buffer {
  const payload = amf.amf0Encode(values);
  return writeMessage({ chunkStreamId: 3, type: messageTypes.commandAmf0, streamId, payload }, chunkSize);
}

export const acknowledgement = (bytes: number): Buffer =>
  control(messageTypes.acknowledgement, uint32(bytes));

export const pong = (timestamp: Buffer): Buffer =>
  control(messageTypes.userControl, Buffer.concat([Buffer.of(0, 7), timestamp.subarray(0, 4)]));

/** Enhanced RTMP: what we take, as FourCC capability masks (1: can decode, 4: can forward). */
const enhanced = {
  videoFourCcInfoMap: { avc1: 5, hvc1: 5, av01: 5 },
  audioFourCcInfoMap: { mp4a: 5 },
  /** ModEx is understood (and skipped), reconnects are asked for by a node that drains; no multitrack. */
  capsEx: reconnectCap | modExCap,
};

function fourCcList(): readonly string[] {
  const list = ['avc1', 'hvc1', 'av01', 'mp4a'];
  // The mark by which node-media-server's AMF writes a strict array.
  Object.defineProperty(list, 'sarray', { value: true });
  return list;
}

export function connectReply(transaction: number, objectEncoding: number): Buffer {
  const fourCc = { fourCcList: fourCcList(), ...enhanced };
  return Buffer.concat([
    control(messageTypes.windowAcknowledgementSize, uint32(windowBytes)),
    control(messageTypes.setPeerBandwidth, Buffer.concat([uint32(windowBytes), Buffer.of(2)])),
    control(messageTypes.setChunkSize, uint32(chunkSize)),
    command(
      0,
      '_result',
      transaction,
      { fmsVer: 'FMS/3,0,1,123', capabilities: 31, ...fourCc },
      {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding,
        ...fourCc,
      },
    ),
  ]);
}

export const createStreamReply = (transaction: number, streamId: number): Buffer =>
  command(0, '_result', transaction, null, streamId);

export const emptyReply = (transaction: number): Buffer =>
  command(0, '_result', transaction, null, undefined);

export const fcReply = (name: 'onFCPublish' | 'onFCUnpublish'): Buffer =>
  command(0, name, 0, null, {
    level: 'status',
    code: name === 'onFCPublish' ? 'NetStream.Publish.Start' : 'NetStream.Unpublish.Success',
  });

export function publishStarted(streamId: number): Buffer {
  const streamBegin = Buffer.concat([Buffer.of(0, 0), uint32(streamId)]);
  const status = { level: 'status', code: 'NetStream.Publish.Start', description: 'On air.' };
  return Buffer.concat([
    control(messageTypes.userControl, streamBegin),
    command(streamId, 'onStatus', 0, null, status),
  ]);
}

/** Enhanced RTMP v2: connect to `url` when it suits, at a keyframe, and end this connection then. */
export const reconnectRequest = (url: string): Buffer =>
  command(0, 'onStatus', 0, null, {
    level: 'status',
    code: 'NetConnection.Connect.ReconnectRequest',
    description: 'This node is being drained.',
    tcUrl: url,
  });

export const playRefused = (streamId: number): Buffer =>
  command(streamId, 'onStatus', 0, null, {
    level: 'error',
    code: 'NetStream.Play.Failed',
    description:
      'This server takes streams by RTMP and plays them by HLS and DASH: open /watch on its HTTP port.',
  });

/** Encoders know `BadName` as "the key is wrong or in use" (OBS says so to its user); `Denied` is for the rest. */
function statusCode(code: ErrorCode): string {
  switch (code) {
    case 'STREAM_KEY_MISSING':
    case 'STREAM_KEY_UNKNOWN':
    case 'STREAM_REMOVED':
    case 'STREAM_BUSY':
      return 'NetStream.Publish.BadName';
    default:
      return 'NetStream.Publish.Denied';
  }
}

/** ffmpeg and OBS show the description; ASCII only, because of the AMF encoder. */
export function publishRefused(streamId: number, code: ErrorCode, detail: string): Buffer {
  const description = `${code}: ${detail}`.replaceAll(/[^\u0020-\u007e]/g, '?').slice(0, maxDescription);
  return command(streamId, 'onStatus', 0, null, { level: 'error', code: statusCode(code), description });
}
