/** The ingest port: what receives a feed (today RTMP) and hands its FLV tags over within the process. */
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';

export interface PublishRequest {
  readonly connectionId: string;
  /** The key as the broadcaster typed it; it is never logged. */
  readonly streamKey: string;
  /** The query of the stream name, such as `?priority=2`. */
  readonly query: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  /** The encoder's own name: `flashVer`, or `encoder` of its metadata. */
  readonly encoder?: string;
}

/** One RTMP message; its payload is the body of an FLV tag. */
export interface FlvTag {
  readonly kind: 'audio' | 'video' | 'script';
  /** 32 bit milliseconds as on the wire; the session unwraps them (M15). */
  readonly timestampMs: number;
  /** Valid only during the call: copy what you keep. */
  readonly payload: Uint8Array;
}

/** Takes the feed of one accepted publisher. Neither function throws. */
export interface TagSink {
  onTag(tag: FlvTag): void;
  /** Called once, whoever closed the connection. */
  onClose(reason: string): void;
}

/** The node's end of an accepted publisher's connection. */
export interface PublisherConnection {
  readonly connectionId: string;
  /** Ends the connection with an RTMP status that names the code and says `detail`. */
  refuse(code: ErrorCode, detail: string): void;
  /**
   * Asks the encoder to connect to `url` and then to leave.
   *
   * @returns false when the encoder does not know this request
   */
  requestReconnect(url: string): boolean;
}

export interface IngestHandler {
  /**
   * Authenticates a publisher before anything is created for it.
   *
   * @throws TangazaError whose code and message the encoder gets as an RTMP status
   */
  onPublish(request: PublishRequest, connection: PublisherConnection): Promise<TagSink>;
}

export interface IngestLimits {
  /** How long a connection may take from TCP accept to `publish`. */
  readonly handshakeTimeoutMs: number;
  /** How long a publisher may send no byte. */
  readonly silenceTimeoutMs: number;
  readonly maxConnections: number;
  /** The largest RTMP message that is taken. */
  readonly maxMessageBytes: number;
}

export interface IngestPort {
  /** Listens; resolves with the bound port. */
  start(handler: IngestHandler): Promise<{ readonly port: number }>;
  /** Stops listening and closes every connection. */
  stop(): Promise<void>;
}
