/**
 * Turns FLV video tags into pictures of a known configuration: the video half of a session's intake.
 *
 * Headers and codec ids are hearsay. An empty header is ignored. One that cannot be read is warned of, and the one in force
 * stays. A tag that names a codec that is not taken is dropped, unless that codec is really sent (track-faults.ts).
 * Annex B in FLV is wrong, but cannot be mistaken, since no start code reads as a length that fits. So it is taken and
 * warned of: an encoder that sends it cannot be set otherwise, and viewers get the same.
 */
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { maxNalUnitsOfPicture } from '../../../../cluster/model/media-limits.ts';
import { unreachable } from '../../../../cluster/model/unreachable.ts';
import { hasStartCode, joinLengthPrefixed, splitAnnexB } from '../../../media/avc/nal-units.ts';
import {
  nameOfVideoCodec,
  parseVideoTag,
  type VideoCodec,
  type VideoTag,
} from '../../../media/flv/video-tag.ts';
import {
  closedGopAdvice,
  colourSpaceAdvice,
  headerAdvice,
  intraRefreshAdvice,
} from '../../encoder-advice.ts';
import type { Now, WarningCode } from '../../ingest-events.ts';
import type { RawPicture } from '../picture.ts';
import type { SessionLimits } from '../../session-limits.ts';
import {
  changedBySets,
  isPlayableAs,
  readVideoConfiguration,
  type VideoConfiguration,
} from '../video-configuration.ts';
import { rulesFor } from './codec-rules.ts';
import { LooseSets } from './loose-sets.ts';
import { PictureAssembler, type AssembledPicture } from './picture-assembler.ts';
import { isSameHeader, TrackFaults, wordsOf } from './track-faults.ts';
import type { NearKey } from './unit-rules.ts';

export interface VideoIntakePorts {
  readonly limits: SessionLimits;
  readonly feed: {
    readonly video: VideoConfiguration | undefined;
    /** A track has its configuration already. */
    readonly isUnderWay: boolean;
    onVideoConfiguration(video: VideoConfiguration, now: Now): void;
    onPicture(picture: RawPicture, now: Now): void;
  };
  readonly unwrap: (wireMs: number) => number;
  readonly warn: (code: WarningCode, detail: string) => void;
  readonly countPicture: (now: Now) => void;
}

type PictureTag = Extract<VideoTag, { kind: 'picture' }>;

/** Composition times beyond this are nonsense: the picture is shown when it is decoded. */
const maxCompositionMs = 5000;

export class VideoIntake {
  readonly #ports: VideoIntakePorts;
  readonly #faults: TrackFaults;
  #assembler: PictureAssembler | undefined;
  #lastHeader: Uint8Array | undefined;
  #codec: VideoCodec = 'h264';
  #nearKey: NearKey | undefined;
  readonly #looseSets = new LooseSets();

  constructor(ports: VideoIntakePorts) {
    this.#ports = ports;
    this.#faults = new TrackFaults(ports.limits);
  }

  get heldBytes(): number {
    return this.#assembler?.heldBytes ?? 0;
  }

  /** Why there is no keyframe and what to set, where their interval is not to blame. */
  get keyframeFault(): string | undefined {
    const { count, last } = this.#faults.damage;
    switch (this.#nearKey) {
      case 'openGop':
        return `its keyframes are I pictures of an open GOP; ${closedGopAdvice}`;
      case 'intraRefresh':
        return `it is refreshed bit by bit; ${intraRefreshAdvice}`;
      case 'noHeader':
        return 'its key frames lack the sequence header; repeat it before each';
      default:
        return count === 0 ? undefined : `${count} pictures could not be read (${last})`;
    }
  }

  /** @throws TangazaError the reason for which the feed is refused */
  take(payload: Uint8Array, timestampMs: number, now: Now): void {
    const tag = this.#read('FLV video tags', () => parseVideoTag(payload));
    switch (tag?.kind) {
      case undefined:
      case 'end':
      case 'ignored':
        return;
      case 'colour':
        if (tag.transfer === 16 || tag.transfer === 18)
          throw new TangazaError('CODEC_REFUSED', `HDR video is not taken: ${colourSpaceAdvice}`);
        return;
      case 'configuration':
        return this.#takeHeader(tag.codec, tag.configuration, now);
      case 'picture':
        return this.#takePicture(tag, timestampMs, now);
      default:
        return unreachable(tag);
    }
  }

  /** @throws TangazaError when no usable header came in time */
  check(now: Now): void {
    this.#faults.check(now.runningMs, nameOfVideoCodec(this.#codec), headerAdvice);
  }

  /** A repeated header with equal bytes changes nothing (M7), also when the stream itself has since said otherwise. */
  #takeHeader(codec: VideoCodec, bytes: Uint8Array, now: Now): void {
    if (bytes.length === 0 || isSameHeader(this.#lastHeader, bytes)) return;
    this.#codec = codec;
    const configuration = this.#readHeader(codec, bytes, () => readVideoConfiguration(codec, bytes));
    if (configuration === undefined) return;
    this.#lastHeader = Uint8Array.from(bytes);
    if (hasStartCode(bytes)) this.#warnOfAnnexB();
    this.#configure(configuration, 'header', now);
  }

  #readHeader<T>(codec: VideoCodec, bytes: Uint8Array, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (errorCodeOf(error) !== 'MEDIA_INVALID') throw error;
      const fault = hasStartCode(bytes) ? 'it is Annex B, where a record belongs' : wordsOf(error);
      const kept = this.#ports.feed.video === undefined ? '' : '; the one in force stays';
      this.#faults.badHeader(fault);
      this.#ports.warn(
        'videoHeaderIgnored',
        `a sequence header of ${nameOfVideoCodec(codec)} is ignored: ${fault}${kept}`,
      );
      return undefined;
    }
  }

  /** Where only the level differs, the configuration in force stays: a new period would be a break for nothing. */
  #configure(configuration: VideoConfiguration, from: 'header' | 'picture', now: Now): void {
    this.#faults.goodHeader();
    const before = this.#ports.feed.video;
    if (before !== undefined && isPlayableAs(before, configuration)) {
      if (isSameHeader(before.configuration, configuration.configuration)) return;
      this.#ports.warn(
        'levelChanged',
        `the level changes (${configuration.codecs}, at first ${before.codecs}), nothing else: no new period`,
      );
      return;
    }
    // Sets in a picture are known to the assembler of its codec already, and the picture is under way in it.
    if (from === 'header' || before?.codec !== configuration.codec)
      this.#assembler = new PictureAssembler(rulesFor(configuration));
    this.#ports.feed.onVideoConfiguration(configuration, now);
  }

  #takePicture(tag: PictureTag, timestampMs: number, now: Now): void {
    const { codec, compositionMs, data } = tag;
    this.#codec = codec;
    const known = this.#knownFor(tag, now);
    if (known === undefined) return;
    const pictures = this.#read(`${nameOfVideoCodec(codec)} pictures`, () => this.#assemble(known, data));
    if (pictures === undefined) return;
    this.#faults.sound();
    if (pictures.length === 0) return;
    const dtsMs = this.#ports.unwrap(timestampMs);
    const ptsMs = dtsMs + this.#soundComposition(compositionMs);
    for (const picture of pictures) this.#give(picture, { dtsMs, ptsMs }, now);
  }

  #give(picture: AssembledPicture, times: Pick<RawPicture, 'dtsMs' | 'ptsMs'>, now: Now): void {
    const { data, role, parameterSets, nearKey } = picture;
    if ((role === 'key' || role === 'maybeKey') && parameterSets.length > 0)
      this.#takeSets(parameterSets, now);
    if (role === 'key') {
      this.#faults.forget();
      this.#nearKey = undefined;
      if (this.#ports.feed.video?.isProgressive === false)
        this.#ports.warn(
          'interlaced',
          'the video is interlaced: all rungs are encoded, deinterlaced; send progressive',
        );
    }
    if (nearKey !== undefined) this.#nearKey = nearKey;
    this.#ports.countPicture(now);
    this.#ports.feed.onPicture({ data, role, ...times }, now);
  }

  /** Parameter sets in front of a keyframe may change the configuration without a new header. */
  #takeSets(sets: readonly Uint8Array[], now: Now): void {
    const known = this.#ports.feed.video;
    if (known === undefined) return;
    const changed = this.#readHeader(known.codec, sets[0] ?? new Uint8Array(0), () =>
      changedBySets(known, sets),
    );
    if (changed !== undefined) this.#configure(changed, 'picture', now);
  }

  /** The configuration that explains the picture; H.264 and HEVC without a header may bring it along. */
  #knownFor({ codec, data }: PictureTag, now: Now): VideoConfiguration | undefined {
    const known = this.#ports.feed.video;
    if (known?.codec === codec) return known;
    if (codec !== 'av1') {
      const found = this.#readHeader(codec, data, () => this.#looseSets.learn(data, codec));
      if (found !== undefined) {
        this.#ports.warn(
          'videoHeaderMissing',
          'no sequence header came: it is made of the parameter sets in the pictures',
        );
        this.#configure(found, 'picture', now);
        return found;
      }
    }
    this.#faults.unexplained(now.runningMs);
    this.#ports.warn(
      'videoHeaderMissing',
      `pictures of ${nameOfVideoCodec(codec)} are dropped: no sequence header came`,
    );
    return undefined;
  }

  #assemble(known: VideoConfiguration, data: Uint8Array): readonly AssembledPicture[] {
    this.#assembler ??= new PictureAssembler(rulesFor(known));
    try {
      return this.#assembler.push(data);
    } catch (error) {
      if (known.lengthSize !== 4 || !hasStartCode(data)) throw error;
      this.#warnOfAnnexB();
      return this.#assembler.push(joinLengthPrefixed(splitAnnexB(data, maxNalUnitsOfPicture)));
    }
  }

  #warnOfAnnexB(): void {
    this.#ports.warn(
      'annexB',
      'the video comes as Annex B (start codes), which FLV does not know: it is taken; others may not',
    );
  }

  #soundComposition(compositionMs: number): number {
    if (Math.abs(compositionMs) <= maxCompositionMs) return compositionMs;
    this.#ports.warn('presentationRepaired', `a composition time of ${compositionMs} ms was taken for 0`);
    return 0;
  }

  /** A damaged tag is dropped and counted. Too many in a row, or a codec that is not taken, end the feed. */
  #read<T>(what: string, read: () => T): T | undefined {
    const { feed, warn } = this.#ports;
    const tellDropped = (why: string): void => warn('pictureCorrupt', `a picture was dropped: ${why}`);
    return this.#faults.read(what, read, { isUnderWay: feed.isUnderWay, tellDropped });
  }
}
