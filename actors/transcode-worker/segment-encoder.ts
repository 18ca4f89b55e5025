/** The encoder port: makes rungs of one source segment as bare H.264 byte streams (Annex B). */
import type { EncodePlan } from './encode-arguments.ts';

export interface EncodeRequest extends EncodePlan {
  /** The init segment and the media segment, one behind the other. */
  readonly source: Uint8Array;
  /** After this wall time the encoder is killed. */
  readonly timeoutMs: number;
}

export interface SegmentEncoder extends AsyncDisposable {
  /**
   * @returns one byte stream for each output, in order
   * @throws TangazaError `TRANSCODE_FAILED` with the encoder's last words, or when it took too long and was killed;
   *   the signal's reason when that aborts it
   */
  encode(request: EncodeRequest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
}
