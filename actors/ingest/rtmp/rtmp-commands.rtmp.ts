/** Writes what we say to a publisher: answers in a few fixed shapes, by node-media-server's AMF0 encoder. */
import amf from 'node-media-server/src/protocol/amf.js';
import amfLogger from 'node-media-server/src/core/logger.js';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { messageTypes, writeMessage } from './rtmp-chunks.ts';

// Its encoder says `Do strict array!` on the console.
amfLogger.log = () => {};

/** Chunk size we send with; ffmpeg answers with the same, which spares it and us many chunk headers. */
const chunkSize = 65_536;
/** The window of what this node sends; the answer to `connect` announces it. */
export const sendWindowBytes = 2_500_000;
const maxDescription = 400;

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

/** Window Acknowledgement Size: what we may send without an acknowledgement. */
export const sendWindow = (bytes: number): Buffer =>
  control(messageTypes.windowAcknowledgementSize, uint32(bytes));

export const pong = (timestamp: Buffer): Buffer =>
  control(messageTypes.userControl, Buffer.concat([Buffer.of(0, 7), timestamp.subarray(0, 4)]));

/** Bits of Enhanced RTMP's `capsEx`: reconnect requests, ModEx. */
const [reconnectCap, modExCap] = [1, 4];

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
    sendWindow(sendWindowBytes),
    control(messageTypes.setPeerBandwidth, Buffer.concat([uint32(sendWindowBytes), Buffer.of(2)])),
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

export const callReply = (transaction: number, answer?: 0): Buffer =>
  command(0, '_result', transaction, null, answer);

export const callUnknown = (transaction: number): Buffer =>
  command(0, '_error', transaction, null, {
    level: 'error',
    code: 'NetConnection.Call.Failed',
    description: 'There is no such method here.',
  });

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

export function unpublished(streamId: number): Buffer {
  const status = { level: 'status', code: 'NetStream.Unpublish.Success', description: 'Off air.' };
  return Buffer.concat([
    control(messageTypes.userControl, Buffer.concat([Buffer.of(0, 1), uint32(streamId)])),
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
