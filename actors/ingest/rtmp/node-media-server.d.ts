/** Types of the two parts of node-media-server 4.4 that are used: its handshake and its AMF0 encoder (M15). */
declare module 'node-media-server/src/protocol/rtmp.js' {
  export default class Rtmp {
    onOutputCallback: (bytes: Buffer) => void;
    /** Called with everything behind the handshake. */
    chunkRead: (data: Buffer, offset: number, bytes: number) => string | null;
    parserData(data: Buffer): string | null;
  }
}

declare module 'node-media-server/src/protocol/amf.js' {
  const amf: {
    /** For tests: throws on much that is malformed, `TypeError` and `RangeError` included. */
    amf0Decode(bytes: Buffer): unknown[];
    /** Strings are measured in UTF-16 units, so ASCII only. */
    amf0Encode(values: readonly unknown[]): Buffer;
  };
  export default amf;
}

declare module 'node-media-server/src/core/logger.js' {
  const logger: { log: (message: string, level?: string) => void };
  export default logger;
}
