/**
 * Serves one RTMP connection: handshake, commands, authentication, then FLV tags to the sink it was given.
 *
 * Nothing is created for a publisher before it is authenticated. Its socket is paused meanwhile, so at most one socket read
 * is held, and at most 512 messages of it. The sink's `onClose` is called exactly once, whoever closes. A refusal is written
 * before the socket is ended, and the peer's data is read and thrown away until the peer goes: closing a socket with unread
 * data would make the peer's kernel drop the refusal.
 *
 * I1. One message stream publishes at a time. A repeated "publish" of the same name changes nothing; one of another
 *     name is refused. When its stream is closed the connection may publish again. Closing what was never published
 *     changes nothing.
 */
import type { Socket } from 'node:net';
import { catalogue, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { IngestHandler, IngestLimits, PublisherConnection, TagSink } from '../ingest-port.ts';
import { overdueOf, type ConnectionState, type HandshakeReader } from './connection-state.ts';
import { readPublishUrl } from './publish-url.ts';
import { Calls } from './rtmp-calls.rtmp.ts';
import { ChunkReader, messageTypes, type ChunkLimits, type RtmpMessage } from './rtmp-chunks.ts';
import { parseCommand, type Command } from './rtmp-command.ts';
import * as commands from './rtmp-commands.rtmp.ts';
import { ProtocolControl } from './rtmp-control.rtmp.ts';
import { Handshake, whatCame } from './rtmp-handshake.rtmp.ts';
import { asAmf0, tagsOf } from './rtmp-tags.ts';

/** Largest message before a publisher is authenticated: commands and metadata. */
const maxCommandBytes = 65_536;
const maxChunkStreams = 32;
/** That come before the answer to "publish"; more of them are no impatient encoder. */
const maxHeldMessages = 512;
/** Unsent bytes towards a peer that does not read, after which it is dropped. */
const maxUnsentBytes = 65_536;
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
  /** What is no fault of the publisher's. */
  readonly onError: (error: unknown) => void;
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
  #state: ConnectionState;
  readonly #control = new ProtocolControl((bytes) => this.#send(bytes));
  readonly #calls = new Calls((bytes) => this.#send(bytes));
  #publishStreamId = 1;
  #publishName = '';
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

  /** It has not asked to publish, or has been refused: another may have its place. */
  get isWaiting(): boolean {
    return this.#state.kind !== 'authenticating' && this.#state.kind !== 'publishing';
  }

  /** Bytes since the last call, for the metric. */
  takeBytes(): number {
    const bytes = this.#control.receivedBytes - this.#reportedBytes;
    this.#reportedBytes = this.#control.receivedBytes;
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
    if (!this.#calls.canReconnect || !this.isPublishing) return false;
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
    const times = {
      openedAtMs: this.openedAtMs,
      lastByteAtMs: this.#lastByteAtMs,
      lastMessageAtMs: this.#lastMessageAtMs,
    };
    const overdue = overdueOf(this.#state, times, this.#options.limits, nowMs);
    if (overdue?.kind === 'refuse') this.refuse(overdue.code, overdue.detail);
    if (overdue?.kind === 'end') this.#end('the publisher ended the stream');
    if (overdue?.kind === 'destroy') this.#options.socket.destroy();
  }

  #onData(data: Buffer): void {
    if (this.#state.kind === 'closing') return;
    this.#control.took(data.length);
    this.#lastByteAtMs = this.#options.nowMs();
    try {
      if (this.#state.kind === 'handshake') this.#onHandshake(this.#state.handshake, data);
      else this.#reader.push(data);
    } catch (error) {
      this.#refuseError(error);
    }
    this.#control.acknowledge();
  }

  #onHandshake(handshake: HandshakeReader, data: Buffer): void {
    const result = handshake.push(data);
    if (result === 'unfinished') return;
    if (result === 'garbage') {
      this.refuse('MEDIA_INVALID', whatCame(data));
      return;
    }
    this.#state = { kind: 'commands', sinceMs: this.openedAtMs, hasPublished: false };
    this.#reader.push(result.done);
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
        this.#onCommand(message.streamId, parseCommand(message.payload));
        return;
      case messageTypes.commandAmf3:
        this.#onCommand(message.streamId, parseCommand(asAmf0(message.payload)));
        return;
      default:
        this.#control.onMessage(message);
    }
  }

  #onMedia(message: RtmpMessage): void {
    const state = this.#state;
    if (state.kind === 'publishing') this.#deliver(state.sink, message);
    if (state.kind !== 'authenticating') return;
    if (state.held.length >= maxHeldMessages)
      throw new TangazaError(
        'BAD_REQUEST',
        `over ${maxHeldMessages} messages before the answer to "publish"`,
      );
    state.held.push({ ...message, payload: Buffer.from(message.payload) });
  }

  #onCommand(streamId: number, command: Command): void {
    switch (command.kind) {
      case 'connect':
        return this.#calls.connect(command);
      case 'createStream':
        return this.#calls.createStream(command.transaction);
      case 'publish':
        void this.#onPublish(streamId, command.name);
        return;
      case 'play':
        this.#refusePlay(streamId);
        return;
      case 'closeStream':
        if (streamId === this.#publishStreamId || streamId === 0) this.#unpublish();
        return;
      case 'deleteStream':
        this.#deleteStream(command.stream);
        return;
      case 'close':
        this.#end('the publisher ended the stream');
        return;
      default:
        this.#calls.answer(command);
    }
  }

  /** An encoder deletes its stream and goes: a deletion that names no other stream ends the connection (I1). */
  #deleteStream(stream: number): void {
    const isOther = this.#calls.deleteStream(stream) && stream !== this.#publishStreamId;
    if (isOther) return;
    if (this.#state.kind === 'authenticating') this.#unpublish();
    else if (this.isPublishing || this.#hasPublished) this.#end('the publisher ended the stream');
  }

  get #hasPublished(): boolean {
    return this.#state.kind === 'commands' && this.#state.hasPublished;
  }

  /** Ends what is published on the stream that was closed; the connection may publish again (I1). */
  #unpublish(): void {
    const state = this.#state;
    if (state.kind === 'authenticating') this.#end('the publisher went away while its key was checked');
    if (state.kind !== 'publishing') return;
    this.#state = { kind: 'commands', sinceMs: this.#options.nowMs(), hasPublished: true };
    state.sink.onClose('the publisher ended the stream');
    this.#send(commands.unpublished(this.#publishStreamId));
  }

  async #onPublish(streamId: number, name: string): Promise<void> {
    if (this.#state.kind !== 'commands') return this.#onPublishAgain(streamId, name);
    const { streamKey, query, advice } = readPublishUrl(this.#calls.app, name);
    const { handler, socket, isOverflow, nowMs } = this.#options;
    this.#publishStreamId = streamId === 0 ? 1 : streamId;
    this.#publishName = name;
    if (isOverflow) return this.refuse('OVERLOADED', 'this node has no place for another publisher');
    if (streamKey === '')
      return this.refuse('STREAM_KEY_MISSING', advice ?? catalogue.STREAM_KEY_MISSING.title);
    const authenticating: ConnectionState = { kind: 'authenticating', sinceMs: nowMs(), held: [] };
    this.#state = authenticating;
    socket.pause();
    try {
      const encoder = this.#calls.encoder === undefined ? {} : { encoder: this.#calls.encoder };
      const remoteAddress = socket.remoteAddress ?? 'unknown';
      const sink = await handler.onPublish(
        { connectionId: this.connectionId, streamKey, query, remoteAddress, ...encoder },
        this,
      );
      this.#accept(authenticating, sink);
    } catch (error) {
      // Media that came before the answer is delivered with it, and may be damaged.
      if (this.#state === authenticating || this.isPublishing) this.#refuseError(error, advice);
    } finally {
      socket.resume();
    }
  }

  /** A repeated "publish": the same name changes nothing, another one is refused (I1). */
  #onPublishAgain(streamId: number, name: string): void {
    if (name !== this.#publishName) {
      const why = 'one connection publishes one stream; this one goes on';
      this.#send(commands.publishRefused(streamId, 'BAD_REQUEST', why));
    } else if (this.isPublishing) this.#send(commands.publishStarted(this.#publishStreamId));
  }

  #accept(asked: Extract<ConnectionState, { kind: 'authenticating' }>, sink: TagSink): void {
    if (this.#state !== asked) {
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
    for (const message of asked.held) this.#deliver(sink, message);
  }

  /** A sink may end the connection with any tag. */
  #deliver(sink: TagSink, message: RtmpMessage): void {
    for (const tag of tagsOf(message)) if (this.isPublishing) sink.onTag(tag);
  }

  #refusePlay(streamId: number): void {
    if (this.#state.kind !== 'commands') return this.#send(commands.playRefused(streamId));
    this.#options.onFault('BAD_REQUEST', 'asked to play');
    this.#close('asked to play');
    this.#options.socket.end(commands.playRefused(streamId));
  }

  /** @param advice what looks wrong with the URL; worth saying where the key was not found */
  #refuseError(error: unknown, advice?: string): void {
    const code = errorCodeOf(error);
    if (code === 'INTERNAL') this.#options.onError(error);
    const isOurs = code !== 'INTERNAL' && error instanceof Error;
    const detail = isOurs ? error.message : catalogue[code].title;
    const hasAdvice = code === 'STREAM_KEY_UNKNOWN' && advice !== undefined;
    this.refuse(code, hasAdvice ? `${detail.replace(/\.$/, '')}; ${advice}` : detail);
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
