/**
 * One RTMP connection: handshake, commands, authentication, then FLV tags to the sink it was given.
 *
 * I1: nothing is created for a publisher before it is authenticated; while that is asked its socket is paused, so no
 *     more than one socket read is held.
 * I2: the sink's `onClose` is called exactly once, whoever closes.
 * I3: a refusal is written before the socket is ended, and the peer's data is read on and thrown away until it goes,
 *     since closing a socket with unread data would make the peer's kernel drop our last words.
 */
import type { Socket } from 'node:net';
import { catalogue, type ErrorCode } from '../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import type { FlvTag, IngestHandler, IngestLimits, PublisherConnection, TagSink } from './ingest-port.ts';
import { ChunkReader, messageTypes, type ChunkLimits, type RtmpMessage } from './rtmp-chunks.ts';
import * as commands from './rtmp-commands.rtmp.ts';
import { Handshake } from './rtmp-handshake.rtmp.ts';

/** Largest message before a publisher is authenticated: commands and metadata. */
const maxCommandBytes = 65_536;
const maxChunkStreams = 32;
const maxStreams = 8;
/** Unsent bytes towards a peer that does not read, after which it is dropped. */
const maxUnsentBytes = 65_536;
const acknowledgeEveryBytes = 1_000_000;
/** How long a refused peer may go on sending before its socket is destroyed. */
const lingerMs = 2000;
/** Without a whole message, as a multiple of the silence time-out: a sender that drips bytes. */
const dripFactor = 3;

type State =
  | { readonly kind: 'handshake'; readonly handshake: Handshake }
  | { readonly kind: 'commands' }
  | { readonly kind: 'authenticating'; readonly sinceMs: number; readonly held: RtmpMessage[] }
  | { readonly kind: 'publishing'; readonly sink: TagSink }
  | { readonly kind: 'closing'; readonly sinceMs: number };

export interface ConnectionOptions {
  readonly id: string;
  readonly socket: Socket;
  readonly limits: IngestLimits;
  readonly handler: IngestHandler;
  readonly nowMs: () => number;
  /** All places are taken by publishers: this one may only be told so. */
  readonly isOverflow: boolean;
  /** Called once for each connection that did not end by the publisher's own wish; `detail` holds no secret. */
  readonly onFault: (code: ErrorCode, detail: string) => void;
  readonly onGone: () => void;
}

export class RtmpConnection implements PublisherConnection {
  readonly connectionId: string;
  readonly openedAtMs: number;
  readonly #options: ConnectionOptions;
  readonly #limits: ChunkLimits = {
    maxMessageBytes: maxCommandBytes,
    maxBufferedBytes: 2 * maxCommandBytes,
    maxChunkStreams,
  };
  readonly #reader: ChunkReader;
  #state: State;
  #app = '';
  #encoder: string | undefined;
  #canReconnect = false;
  #streams = 0;
  #publishStreamId = 1;
  #bytes = 0;
  #acknowledgedBytes = 0;
  #lastByteAtMs: number;
  #lastMessageAtMs: number;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.connectionId = options.id;
    this.openedAtMs = options.nowMs();
    this.#lastByteAtMs = this.openedAtMs;
    this.#lastMessageAtMs = this.openedAtMs;
    this.#reader = new ChunkReader(this.#limits, (message) => this.#onMessage(message));
    this.#state = { kind: 'handshake', handshake: new Handshake((bytes) => this.#send(bytes)) };
    const { socket } = options;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.#onData(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onSocketClosed());
  }

  get isPublishing(): boolean {
    return this.#state.kind === 'publishing';
  }

  get isWaiting(): boolean {
    return this.#state.kind === 'handshake' || this.#state.kind === 'commands';
  }

  /** Bytes since the last call, for the metric. */
  takeBytes(): number {
    const bytes = this.#bytes - this.#reportedBytes;
    this.#reportedBytes = this.#bytes;
    return bytes;
  }
  #reportedBytes = 0;

  refuse(code: ErrorCode, detail: string): void {
    if (this.#state.kind === 'closing') return;
    const wasHandshake = this.#state.kind === 'handshake';
    this.#options.onFault(code, detail);
    this.#close(`${code}: ${detail}`);
    if (wasHandshake) this.#options.socket.destroy();
    else this.#options.socket.end(commands.publishRefused(this.#publishStreamId, code, detail));
  }

  /** Enhanced RTMP: the encoder goes on here until it is there. */
  requestReconnect(url: string): boolean {
    if (!this.#canReconnect || !this.isPublishing) return false;
    this.#send(commands.reconnectRequest(url));
    return true;
  }

  /** As `refuse`, without waiting for the peer to hear it. */
  drop(code: ErrorCode, detail: string): void {
    this.refuse(code, detail);
    this.#options.socket.destroy();
  }

  /** Looks at the time-outs. */
  check(nowMs: number): void {
    const { limits, socket } = this.#options;
    const state = this.#state;
    switch (state.kind) {
      case 'handshake':
      case 'commands':
        if (nowMs - this.openedAtMs > limits.handshakeTimeoutMs) {
          this.refuse('PUBLISHER_SILENT', `no publish within ${limits.handshakeTimeoutMs} ms of connecting`);
        }
        return;
      case 'authenticating':
        if (nowMs - state.sinceMs > limits.handshakeTimeoutMs)
          this.refuse('UNAVAILABLE', 'the stream key could not be checked in time');
        return;
      case 'publishing':
        this.#checkSilence(nowMs, limits.silenceTimeoutMs);
        return;
      case 'closing':
        if (nowMs - state.sinceMs > lingerMs) socket.destroy();
        return;
      default:
        unreachable(state);
    }
  }

  #checkSilence(nowMs: number, timeoutMs: number): void {
    if (nowMs - this.#lastByteAtMs > timeoutMs)
      this.refuse('PUBLISHER_SILENT', `nothing came for ${timeoutMs} ms`);
    else if (nowMs - this.#lastMessageAtMs > dripFactor * timeoutMs) {
      this.refuse('PUBLISHER_SILENT', `no whole message came for ${dripFactor * timeoutMs} ms`);
    }
  }

  #onData(data: Buffer): void {
    if (this.#state.kind === 'closing') return;
    this.#bytes += data.length;
    this.#lastByteAtMs = this.#options.nowMs();
    try {
      if (this.#state.kind === 'handshake') this.#onHandshake(this.#state.handshake, data);
      else this.#reader.push(data);
    } catch (error) {
      this.#refuseError(error);
    }
    if (this.#bytes - this.#acknowledgedBytes >= acknowledgeEveryBytes) this.#acknowledge();
  }

  #onHandshake(handshake: Handshake, data: Buffer): void {
    const result = handshake.push(data);
    if (result === 'unfinished') return;
    if (result === 'garbage') {
      this.refuse('MEDIA_INVALID', 'what came is not RTMP');
      return;
    }
    this.#state = { kind: 'commands' };
    this.#reader.push(result.done);
  }

  #acknowledge(): void {
    this.#acknowledgedBytes = this.#bytes;
    this.#send(commands.acknowledgement(this.#bytes));
  }

  #onMessage(message: RtmpMessage): void {
    this.#lastMessageAtMs = this.#lastByteAtMs;
    switch (message.type) {
      case messageTypes.audio:
      case messageTypes.video:
      case messageTypes.dataAmf0:
      case messageTypes.dataAmf3:
      case messageTypes.aggregate:
        this.#onMedia(message);
        return;
      case messageTypes.commandAmf0:
        this.#onCommand(message.streamId, commands.parseCommand(message.payload));
        return;
      case messageTypes.commandAmf3:
        this.#onCommand(message.streamId, commands.parseCommand(message.payload.subarray(1)));
        return;
      case messageTypes.userControl:
        if (message.payload.length >= 6 && message.payload.readUInt16BE(0) === 6)
          this.#send(commands.pong(message.payload.subarray(2)));
        return;
      default:
    }
  }

  #onMedia(message: RtmpMessage): void {
    const state = this.#state;
    if (state.kind === 'publishing') deliver(state.sink, message);
    else if (state.kind === 'authenticating')
      state.held.push({ ...message, payload: Buffer.from(message.payload) });
  }

  #onCommand(streamId: number, command: commands.Command): void {
    switch (command.kind) {
      case 'connect':
        this.#app = command.app;
        this.#encoder = command.encoder;
        this.#canReconnect = command.canReconnect;
        this.#send(commands.connectReply(command.transaction, command.objectEncoding));
        return;
      case 'releaseStream':
        if (command.transaction > 0) this.#send(commands.emptyReply(command.transaction));
        return;
      case 'fcPublish':
        this.#send(commands.fcReply('onFCPublish'));
        return;
      case 'fcUnpublish':
        this.#send(commands.fcReply('onFCUnpublish'));
        return;
      case 'createStream':
        this.#streams += 1;
        if (this.#streams > maxStreams)
          throw new TangazaError('BAD_REQUEST', 'too many streams on one connection');
        this.#send(commands.createStreamReply(command.transaction, this.#streams));
        return;
      case 'publish':
        void this.#onPublish(streamId, command.name);
        return;
      case 'play':
        this.#refusePlay(streamId);
        return;
      case 'end':
        this.#end('the publisher ended the stream');
        return;
      case 'other':
        return;
      default:
        unreachable(command);
    }
  }

  async #onPublish(streamId: number, name: string): Promise<void> {
    if (this.#state.kind !== 'commands') {
      this.refuse('BAD_REQUEST', 'one connection publishes one stream');
      return;
    }
    const { streamKey, query } = commands.parsePublishName(this.#app, name);
    const { handler, socket, isOverflow, nowMs } = this.#options;
    this.#publishStreamId = streamId === 0 ? 1 : streamId;
    if (isOverflow) return this.refuse('OVERLOADED', 'this node has no place for another publisher');
    if (streamKey === '') return this.refuse('STREAM_KEY_MISSING', catalogue.STREAM_KEY_MISSING.title);
    const authenticating: State = { kind: 'authenticating', sinceMs: nowMs(), held: [] };
    this.#state = authenticating;
    socket.pause();
    try {
      const encoder = this.#encoder === undefined ? {} : { encoder: this.#encoder };
      const remoteAddress = socket.remoteAddress ?? 'unknown';
      const sink = await handler.onPublish(
        { connectionId: this.connectionId, streamKey, query, remoteAddress, ...encoder },
        this,
      );
      this.#accept(authenticating.held, sink);
    } catch (error) {
      this.#refuseError(error);
    } finally {
      socket.resume();
    }
  }

  #accept(held: readonly RtmpMessage[], sink: TagSink): void {
    if (this.#state.kind !== 'authenticating') {
      sink.onClose('the publisher went away while its key was checked');
      return;
    }
    const { limits, nowMs } = this.#options;
    this.#limits.maxMessageBytes = limits.maxMessageBytes;
    this.#limits.maxBufferedBytes = 2 * limits.maxMessageBytes;
    this.#lastByteAtMs = nowMs();
    this.#lastMessageAtMs = this.#lastByteAtMs;
    this.#state = { kind: 'publishing', sink };
    this.#send(commands.publishStarted(this.#publishStreamId));
    for (const message of held) if (this.isPublishing) deliver(sink, message);
  }

  #refusePlay(streamId: number): void {
    this.#options.onFault('BAD_REQUEST', 'asked to play');
    this.#close('asked to play');
    this.#options.socket.end(commands.playRefused(streamId));
  }

  #refuseError(error: unknown): void {
    const code = errorCodeOf(error);
    const isOurs = code !== 'INTERNAL' && error instanceof Error;
    this.refuse(code, isOurs ? error.message : catalogue[code].title);
  }

  #end(reason: string): void {
    this.#close(reason);
    this.#options.socket.end();
  }

  #close(reason: string): void {
    const state = this.#state;
    if (state.kind === 'closing') return;
    this.#state = { kind: 'closing', sinceMs: this.#options.nowMs() };
    if (state.kind === 'publishing') state.sink.onClose(reason);
  }

  #onSocketClosed(): void {
    this.#close('the connection was lost');
    this.#options.onGone();
  }

  #send(bytes: Buffer): void {
    const { socket } = this.#options;
    if (socket.writableLength > maxUnsentBytes) socket.destroy();
    else if (socket.writable) socket.write(bytes);
  }
}

function deliver(sink: TagSink, { type, timestampMs, payload }: RtmpMessage): void {
  if (payload.length === 0) return;
  switch (type) {
    case messageTypes.audio:
      return sink.onTag({ kind: 'audio', timestampMs, payload });
    case messageTypes.video:
      return sink.onTag({ kind: 'video', timestampMs, payload });
    case messageTypes.dataAmf0:
      return sink.onTag({ kind: 'script', timestampMs, payload: commands.scriptBody(payload) });
    case messageTypes.dataAmf3:
      return sink.onTag({ kind: 'script', timestampMs, payload: commands.scriptBody(payload.subarray(1)) });
    default:
      for (const tag of splitAggregate(payload, timestampMs)) sink.onTag(tag);
  }
}

const tagKinds = new Map<number, FlvTag['kind']>([
  [8, 'audio'],
  [9, 'video'],
  [18, 'script'],
]);

/** An aggregate message (RTMP 7.1.6) is FLV tags whose times count from the first one's; a broken rest is left out. */
function* splitAggregate(payload: Buffer, timestampMs: number): Generator<FlvTag> {
  let firstMs: number | undefined;
  for (let at = 0; at + 11 <= payload.length;) {
    const length = payload.readUIntBE(at + 1, 3);
    const tagMs = payload.readUIntBE(at + 4, 3) + payload.readUInt8(at + 7) * 0x1_00_00_00;
    firstMs ??= tagMs;
    const kind = tagKinds.get(payload.readUInt8(at) & 0x1f);
    const body = payload.subarray(at + 11, at + 11 + length);
    if (kind !== undefined && body.length === length) {
      yield { kind, timestampMs: (timestampMs + tagMs - firstMs) >>> 0, payload: body };
    }
    at += 11 + length + 4;
  }
}
