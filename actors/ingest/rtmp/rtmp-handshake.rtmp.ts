/** Does the RTMP handshake, plain and digested, by node-media-server; our chunk reader takes what follows it (M15). */
import Rtmp from 'node-media-server/src/protocol/rtmp.js';

/** Bytes of the client's three parts of the handshake. */
const handshakeBytes = 1 + 1536 + 1536;
const rtmpVersion = 3;

export class Handshake {
  readonly #rtmp = new Rtmp();
  #received = 0;
  #rest: Buffer | undefined;

  /** @param send takes S0, S1 and S2 */
  constructor(send: (bytes: Buffer) => void) {
    this.#rtmp.onOutputCallback = send;
    this.#rtmp.chunkRead = (data, offset, bytes) => {
      this.#rest = data.subarray(offset, offset + bytes);
      return null;
    };
  }

  /** @returns `garbage` at the first byte that is not RTMP's version; `done` with what lies behind the handshake */
  push(data: Buffer): 'garbage' | 'unfinished' | { readonly done: Buffer } {
    if (this.#received === 0 && data.length > 0 && data.readUInt8(0) !== rtmpVersion) return 'garbage';
    this.#received += data.length;
    this.#rtmp.parserData(data);
    if (this.#rest !== undefined) return { done: this.#rest };
    return this.#received >= handshakeBytes ? { done: Buffer.alloc(0) } : 'unfinished';
  }
}

const tlsHandshake = 0x16;
const encryptedRtmp = 6;

/** What to say of first bytes that are not RTMP's. */
export function whatCame(data: Buffer): string {
  const [first] = data;
  if (first === tlsHandshake) return 'what came is TLS: publish to rtmp://, not to rtmps://';
  if (first === encryptedRtmp) return 'what came is RTMPE: publish to rtmp://, not to rtmpe://';
  if (/^[A-Z]{3,8} /.test(data.toString('latin1', 0, 9)))
    return 'what came is HTTP: publish to rtmp://, not to rtmpt:// or http://';
  return 'what came is not RTMP';
}
