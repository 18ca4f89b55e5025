/** Reads ADTS (ISO/IEC 13818-7 6.2): AAC frames that each carry a header, as MPEG-TS and `.aac` files have them. */
import { BitReader } from '../bits/bit-reader.ts';
import { BitWriter } from '../bits/bit-writer.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';

export interface AdtsFrame {
  /** The AudioSpecificConfig that says the same as the header. */
  readonly configuration: Uint8Array;
  /** 0 when the frame itself describes its channels; `configuration` then lacks them. */
  readonly channelConfiguration: number;
  /** A view of the raw frame behind the header. */
  readonly data: Uint8Array;
}

const headerBytes = 7;
/** Ten seconds at 96 kHz; encoders put one frame into a message, or a few. */
const maxFrames = 1024;

/** A sync word and layer 0. No raw AAC frame begins like this: its first three bits would say that it is empty. */
export function isAdts(data: Uint8Array): boolean {
  return data.length >= headerBytes && data[0] === 0xff && ((data[1] ?? 0) & 0xf6) === 0xf0;
}

/**
 * Splits a message that begins with an ADTS header into its frames.
 *
 * @throws TangazaError `MEDIA_INVALID` when the headers do not tile the message, one holds several raw data blocks, or
 *   there are more than 1024 frames
 */
export function splitAdts(data: Uint8Array): readonly AdtsFrame[] {
  const frames: AdtsFrame[] = [];
  for (let at = 0; at < data.length;) {
    if (frames.length === maxFrames) throw mediaInvalid(`a message has more than ${maxFrames} ADTS frames`);
    const { frame, length } = readFrame(data.subarray(at));
    frames.push(frame);
    at += length;
  }
  return frames;
}

function readFrame(data: Uint8Array): { readonly frame: AdtsFrame; readonly length: number } {
  if (!isAdts(data)) throw mediaInvalid('bytes that are no ADTS frame stand behind one');
  const bits = new BitReader(data, 'an ADTS header');
  bits.skip(15);
  const headerLength = bits.flag() ? headerBytes : headerBytes + 2;
  const objectType = bits.bits(2) + 1;
  const rateIndex = bits.bits(4);
  bits.skip(1);
  const channelConfiguration = bits.bits(3);
  bits.skip(4);
  const length = bits.bits(13);
  bits.skip(11);
  const blocks = bits.bits(2) + 1;
  if (length <= headerLength || length > data.length)
    throw mediaInvalid(`an ADTS frame of ${length} bytes does not fit in its message`);
  if (blocks > 1) throw mediaInvalid(`an ADTS frame holds ${blocks} raw data blocks, one is taken`);
  const configuration = new BitWriter()
    .put(objectType, 5)
    .put(rateIndex, 4)
    .put(channelConfiguration, 4)
    .put(0, 3)
    .finish();
  return {
    frame: { configuration, channelConfiguration, data: data.subarray(headerLength, length) },
    length,
  };
}
