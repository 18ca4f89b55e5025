/** Parameter sets of H.264 pictures that come without a sequence header, kept until they make a configuration. */
import { maxNalUnitsOfPicture } from '../../../../cluster/model/media-limits.ts';
import {
  avcNal,
  avcNalType,
  hasStartCode,
  splitAnnexB,
  splitLengthPrefixed,
} from '../../../media/avc/nal-units.ts';
import { configurationOfSets, type VideoConfiguration } from '../video-configuration.ts';

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
  #sets: Uint8Array[] = [];

  /**
   * @param message NAL units behind start codes, or behind lengths of 4 bytes
   * @returns the configuration, once there are an SPS and a PPS
   * @throws TangazaError `MEDIA_INVALID`, `CODEC_REFUSED`; the sets are forgotten then
   */
  learn(message: Uint8Array): VideoConfiguration | undefined {
    const nals = split(message);
    const found = nals.filter((nal) => [avcNal.sps, avcNal.pps].some((type) => type === avcNalType(nal)));
    if (found.length === 0) return undefined;
    const sets = [...this.#sets, ...found.map((set) => Uint8Array.from(set))].slice(-mostSets);
    this.#sets = [];
    const configuration = configurationOfSets(sets);
    if (configuration === undefined) this.#sets = sets;
    return configuration;
  }
}
