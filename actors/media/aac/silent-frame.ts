/** Makes silent AAC frames. They go where audio is missing, so that the audio's clock stays whole (M9). */
import { BitWriter } from '../bits/bit-writer.ts';

const element = { single: 0, pair: 1, effects: 3, end: 7 } as const;
type Element = 'single' | 'pair' | 'effects';

/** Syntactic elements by channel configuration (ISO/IEC 14496-3 table 1.19). */
const elementsOf: Readonly<Record<number, readonly Element[]>> = {
  1: ['single'],
  2: ['pair'],
  3: ['single', 'pair'],
  4: ['single', 'pair', 'single'],
  5: ['single', 'pair', 'pair'],
  6: ['single', 'pair', 'pair', 'effects'],
  7: ['single', 'pair', 'pair', 'pair', 'effects'],
};

/** An individual channel stream (4.4.2.7) without scale factor bands: a long sine window with nothing in it. */
function putSilentChannel(bits: BitWriter): void {
  // global_gain; ics_reserved, window_sequence, window_shape, max_sfb, predictor_data_present; pulse, TNS, gain control
  bits.put(140, 8).put(0, 1).put(0, 2).put(0, 1).put(0, 6).put(0, 1).put(0, 3);
}

/**
 * One raw_data_block (4.4.2.1) of silence, as long as any other frame of its configuration.
 *
 * @param channelConfiguration as in the AudioSpecificConfig
 * @returns undefined unless the channels are one of the seven standard layouts
 */
export function silentFrame(channelConfiguration: number): Uint8Array | undefined {
  const elements = elementsOf[channelConfiguration];
  if (elements === undefined) return undefined;
  const bits = new BitWriter();
  const tags = { single: 0, pair: 0, effects: 0 };
  for (const kind of elements) {
    bits.put(element[kind], 3).put(tags[kind], 4);
    tags[kind] += 1;
    if (kind === 'pair') bits.put(0, 1);
    putSilentChannel(bits);
    if (kind === 'pair') putSilentChannel(bits);
  }
  return bits.put(element.end, 3).finish();
}
