/** The ingest port: what receives a feed (RTMP today) and hands over its FLV tags, in-process. */
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';

export interface PublishRequest {
  readonly connectionId: string;
  /** As typed by the broadcaster; never logged. */
  readonly streamKey: string;
  /** Query of the stream name, e.g. `?priority=2`. */
  readonly query: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  /** What the encoder calls itself (`flashVer`, or `encoder` of its metadata). */
  readonly encoder?: string;
}

/** One RTMP message, its payload as in an FLV tag body. */
export interface FlvTag {
  readonly kind: 'audio' | 'video' | 'script';
  /** 32 bit milliseconds as on the wire; unwrapped by the session (M15). */
  readonly timestampMs: number;
  /** Valid only during the call: copy what is kept. */
  readonly payload: Uint8Array;
}

/** Takes the feed of one accepted publisher. Neither function throws. */
export interface TagSink {
  onTag(tag: FlvTag): void;
  /** Called once, whoever closed. */
  onClose(reason: string): void;
}

/** Our end of an accepted publisher's connection. */
export interface PublisherConnection {
  readonly connectionId: string;
  /** Ends it with an RTMP status that names the code and says `detail`. */
  refuse(code: ErrorCode, detail: string): void;
  /** Asks the encoder to connect to `url` and to leave then. @returns false when it does not understand that */
  requestReconnect(url: string): boolean;
}

export interface IngestHandler {
  /**
   * Authenticates before anything is created.
   *
   * @throws TangazaError whose code and message reach the encoder as an RTMP status
   */
  onPublish(request: PublishRequest, connection: PublisherConnection): Promise<TagSink>;
}

export interface IngestLimits {
  /** From TCP accept to `publish`. */
  readonly handshakeTimeoutMs: number;
  /** Without a byte from a publisher. */
  readonly silenceTimeoutMs: number;
  readonly maxConnections: number;
  /** Largest RTMP message taken. */
  readonly maxMessageBytes: number;
}

export interface IngestPort {
  /** Listens; resolves with the bound port. */
  start(handler: IngestHandler): Promise<{ readonly port: number }>;
  /** Stops listening and closes every connection. */
  stop(): Promise<void>;
}
