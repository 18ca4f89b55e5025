/** Keeps parameter sets of pictures that come without a sequence header, until they make a configuration. */
import { maxNalUnitsOfPicture } from '../../../../cluster/model/media-limits.ts';
import { hasStartCode, splitAnnexB, splitLengthPrefixed } from '../../../media/avc/nal-units.ts';
import { configurationOfSets, isParameterSet, type VideoConfiguration } from '../video-configuration.ts';

/** More than encoders send in front of one picture. */
const mostSets = 16;

/** What splits by lengths is no byte stream: a length of 256 to 511 looks like a start code. */
function split(message: Uint8Array): readonly Uint8Array[] {
  try {
    return splitLengthPrefixed(message, 4);
  } catch (error) {
    if (!hasStartCode(message)) throw error;
    return splitAnnexB(message, maxNalUnitsOfPicture);
  }
}

export class LooseSets {
  #codec: 'h264' | 'hevc' = 'h264';
  #sets: Uint8Array[] = [];

  /**
   * @param message NAL units behind start codes, or behind lengths of 4 bytes
   * @returns the configuration, once there is a set of each kind
   * @throws TangazaError `MEDIA_INVALID`, `CODEC_REFUSED`; the sets are forgotten then
   */
  learn(message: Uint8Array, codec: 'h264' | 'hevc' = 'h264'): VideoConfiguration | undefined {
    if (codec !== this.#codec) this.#sets = [];
    this.#codec = codec;
    const nals = split(message);
    const found = nals.filter((nal) => isParameterSet(codec, nal));
    if (found.length === 0) return undefined;
    const sets = [...this.#sets, ...found.map((set) => Uint8Array.from(set))].slice(-mostSets);
    this.#sets = [];
    const configuration = configurationOfSets(sets, codec);
    if (configuration === undefined) this.#sets = sets;
    return configuration;
  }
}
