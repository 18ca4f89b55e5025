/**
 * A period with video: keeps what was received until a cut is seen, then gives whole segments (M3, M4).
 *
 * Times inside are 90 kHz since the period's zero. Cuts lie on the stream clock, so the owner's offset must be known to
 * find them; until `open` pictures only queue. A cut segment waits until its audio passes the cut, or until video runs
 * 1 s ahead (M9).
 */
import { markHashLength, type PeriodMarks } from '../../../cluster/contract/contribution.ts';
import type { AudioVerdict } from './audio-clock.ts';
import { AudioTrackState } from './audio-track.ts';
import { earliestCut90k, isCut, ticksPerSecond } from './cut-rule.ts';
import { checkFrameRate, measureFrameRate, resolveFrameRate } from './frame-rate.ts';
import type { PeriodPlace, PeriodVideo } from '../ingest-events.ts';
import type { CodedPicture } from './intake/coded-picture.ts';
import {
  chooseBitrate,
  frameOverheadBytes,
  sequenceHeaderHash,
  type AudioConfiguration,
  type Period,
  type PeriodSetting,
} from './period.ts';
import type { Picture } from './picture.ts';
import { buildSegment, type CutVideo, type TimedPicture } from './segment-builder.ts';
import { hasCaptions, pictureHash, type VideoConfiguration } from './video-configuration.ts';

const ticksPerMs = ticksPerSecond / 1000;
const audioPatience90k = ticksPerSecond;
const leastBitrateBps = 1000;
/** As many as the contract allows. */
const maxMarkedPictures = 64;

interface PendingPicture extends TimedPicture {
  readonly cut: number;
}

interface OpenSegment {
  readonly start: number;
  readonly pictures: TimedPicture[];
}

export class VideoPeriod implements Period {
  readonly kind = 'video';
  readonly #setting: PeriodSetting;
  readonly #video: VideoConfiguration;
  #audio: AudioTrackState | undefined;
  #pending: PendingPicture[] = [];
  #segment: OpenSegment | undefined;
  readonly #cuts: CutVideo[] = [];
  #videoBytes = 0;
  /** The last picture may still grow. When the next one comes, its further bytes are counted. */
  #last: { readonly data: CodedPicture; readonly countedBytes: number } | undefined;
  #newest = 0;
  #frameTicks = 0;
  #place: PeriodPlace | undefined;
  /** A segment that this session joined in the middle is not its own to give. */
  #isJoining = false;
  #ending: { readonly kind: 'segment' | 'tail'; readonly at: number } | undefined;
  #isDone = false;
  #isAsked = false;
  #corrections = 0;

  constructor(setting: PeriodSetting, video: VideoConfiguration, audio: AudioConfiguration | undefined) {
    this.#setting = setting;
    this.#video = video;
    this.#audio = audio === undefined ? undefined : new AudioTrackState(audio);
  }

  get ordinal(): number {
    return this.#setting.ordinal;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  get isOpened(): boolean {
    return this.#place !== undefined;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get bufferedBytes(): number {
    return this.#videoBytes + (this.#audio?.bufferedBytes ?? 0);
  }

  get picturesInSegment(): number {
    return this.#segment?.pictures.length ?? 0;
  }

  pushPicture({ data, isKey, ptsMs, cutMs }: Picture): void {
    const { zeroMs } = this.#setting;
    const picture = { data, isKey, pts: (ptsMs - zeroMs) * ticksPerMs, cut: (cutMs - zeroMs) * ticksPerMs };
    this.#countLast();
    this.#videoBytes += data.length + frameOverheadBytes;
    this.#last = { data, countedBytes: data.length };
    this.#newest = Math.max(this.#newest, picture.pts);
    if (isKey && !this.#isAsked && picture.cut >= earliestCut90k) this.#ask(picture.cut, picture.pts);
    if (this.#place === undefined) this.#pending.push(picture);
    else this.#add(picture, this.#place.offset90k);
    this.#flush();
  }

  #countLast(): void {
    if (this.#last !== undefined) this.#videoBytes += this.#last.data.length - this.#last.countedBytes;
    this.#last = undefined;
  }

  pushAudio(ms: number, data: Uint8Array): AudioVerdict {
    const verdict = this.#audio?.push(ms - this.#setting.zeroMs, data) ?? 'early';
    this.#flush();
    return verdict;
  }

  addAudio(audio: AudioConfiguration): boolean {
    if (this.#isAsked) return false;
    this.#audio = new AudioTrackState(audio);
    return true;
  }

  /** The newest keyframe may lack slices: its hash matches nothing then, and is whole when it is asked again. */
  marks(): PeriodMarks {
    const keys = this.#pending.filter(({ isKey }) => isKey).slice(-maxMarkedPictures);
    const pictures = keys.map(({ cut, data }) => ({
      at90k: cut,
      hash: pictureHash(this.#video, data.whole()).slice(0, markHashLength),
    }));
    const audio = this.#audio?.marks();
    return { pictures, ...(audio === undefined ? {} : { audio }) };
  }

  open(place: PeriodPlace): void {
    if (this.#place !== undefined) return;
    this.#place = place;
    this.#isJoining = place.isTwin === true;
    const pending = this.#pending;
    this.#pending = [];
    for (const picture of pending) this.#add(picture, place.offset90k);
    this.#flush();
    this.#finish();
  }

  end(kind: 'segment' | 'tail', atMs?: number): void {
    if (this.#ending !== undefined) return;
    if (!this.#isAsked) this.#ask(this.#newest);
    const natural = this.#newest + this.#frameTicks;
    this.#ending = { kind, at: atMs === undefined ? natural : (atMs - this.#setting.zeroMs) * ticksPerMs };
    this.#finish();
  }

  /** @param next presentation time of the picture behind those that wait; of slow video only one waits by then */
  #ask(until: number, next?: number): void {
    this.#isAsked = true;
    const { ordinal, zeroMs, wallZeroMs, metadata } = this.#setting;
    const video = this.#describeVideo(until, this.#measureFrameRate(next));
    this.#frameTicks = Math.round((ticksPerSecond * video.source.frameRate[1]) / video.source.frameRate[0]);
    this.#setting.emit({
      kind: 'periodReady',
      ordinal,
      period: {
        sequenceHeaderHash: sequenceHeaderHash(this.#video, this.#audio?.configuration),
        connectionZeroMs: zeroMs,
        wallZeroMs: Math.round(wallZeroMs),
        video,
        ...(this.#audio === undefined ? {} : { audio: this.#audio.describe(metadata?.audioBitrateBps) }),
      },
    });
  }

  #measureFrameRate(next: number | undefined): number | undefined {
    const times = [...this.#pending.map(({ pts }) => pts), ...(next === undefined ? [] : [next])];
    const measured = measureFrameRate(times.map((time) => time / ticksPerMs));
    checkFrameRate(times.length, measured);
    return measured;
  }

  /** Describes the video. By now there are 2 s of pictures, or all that there will be (M7). */
  #describeVideo(until: number, measured: number | undefined): PeriodVideo {
    const {
      codec,
      codecs,
      width,
      height,
      sampleAspectRatio,
      configuration,
      bitDepth,
      isProgressive,
      frameRate: coded,
    } = this.#video;
    const { metadata } = this.#setting;
    const frameRate = resolveFrameRate(
      [metadata?.frameRate, coded === undefined ? undefined : coded[0] / coded[1]],
      measured,
    );
    const bytes = this.#pending.reduce((sum, { data }) => sum + data.length, 0);
    const measuredBps = until > 0 ? (bytes * 8 * ticksPerSecond) / until : 0;
    const bitrateBps = Math.max(
      leastBitrateBps,
      Math.round(chooseBitrate(metadata?.videoBitrateBps, measuredBps) ?? leastBitrateBps),
    );
    return {
      track: {
        kind: 'video',
        codec,
        width,
        height,
        sampleAspectRatio,
        configuration,
        timescale: ticksPerSecond,
      },
      source: {
        codec,
        codecs,
        width,
        height,
        sampleAspectRatio,
        frameRate,
        bitDepth,
        bitrateBps,
        ...(isProgressive ? {} : { isInterlaced: true }),
        ...(this.#hasCaptions() ? { hasCaptions: true } : {}),
      },
    };
  }

  #hasCaptions(): boolean {
    return this.#pending.some(({ data }) => hasCaptions(this.#video, data.whole()));
  }

  #add(picture: PendingPicture, offset: number): void {
    const { data, isKey, pts, cut } = picture;
    const segment = this.#segment;
    if (segment === undefined) {
      this.#segment = { start: cut, pictures: [{ data, isKey, pts }] };
      return;
    }
    if (isKey && cut > segment.start && isCut(segment.start + offset, cut + offset)) {
      this.#cuts.push({ start: segment.start, end: cut, pictures: segment.pictures });
      this.#segment = { start: cut, pictures: [{ data, isKey, pts }] };
      return;
    }
    segment.pictures.push({ data, isKey, pts });
  }

  #flush(): void {
    for (let cut = this.#cuts[0]; cut !== undefined && this.#mayGive(cut); cut = this.#cuts[0]) {
      this.#cuts.shift();
      this.#give(cut, 'segment');
    }
  }

  #mayGive(cut: CutVideo): boolean {
    const audio = this.#audio;
    if (audio === undefined || audio.clock.hasPassed(audio.toSamples(cut.end))) return true;
    if (this.#newest - cut.end < audioPatience90k) return false;
    const silent = audio.clock.fillTo(audio.toSamples(cut.end));
    this.#setting.warn('audioGap', `audio is over 1 s behind video: ${silent} silent frames put in`);
    return true;
  }

  #give(cut: CutVideo, kind: 'segment' | 'tail'): void {
    const place = this.#place ?? { offset90k: 0 };
    const { offset90k: offset } = place;
    const audio = this.#audio;
    const mayBeAbsent = this.#setting.limits.audioGaps === 'absent';
    const { segment, repaired } = buildSegment({
      start90k: cut.start + offset,
      end90k: cut.end + offset,
      video: { configuration: this.#video, cut, offset },
      ...(audio === undefined
        ? {}
        : { audio: audio.part(audio.clock.takeUntil(audio.toSamples(cut.end)), place, mayBeAbsent) }),
    });
    for (const { data } of cut.pictures) this.#videoBytes -= data.length + frameOverheadBytes;
    if (repaired > 0)
      this.#setting.warn(
        'presentationRepaired',
        `${repaired} presentation times of a segment were not unique or out of it`,
      );
    this.#warnOfDrift();
    const isOthers = this.#isJoining;
    this.#isJoining = false;
    if (!isOthers) this.#setting.emit({ kind, ordinal: this.ordinal, segment });
  }

  #warnOfDrift(): void {
    const corrections = this.#audio?.clock.corrections ?? 0;
    if (corrections === this.#corrections) return;
    this.#corrections = corrections;
    this.#setting.warn(
      'audioDrift',
      `audio drifts from the feed's clock: ${corrections} frames dropped or put in so far`,
    );
  }

  /** When the end is known and the owner has answered: gives what is left, and fills its audio with silence. */
  #finish(): void {
    const ending = this.#ending;
    if (ending === undefined || this.#place === undefined || this.#isDone) return;
    this.#countLast();
    const segment = this.#segment;
    const last =
      segment === undefined ? undefined : { ...segment, end: Math.max(ending.at, segment.start + 1) };
    this.#isDone = true;
    for (const cut of this.#cuts.splice(0)) this.#giveWhole(cut, 'segment');
    if (last !== undefined) this.#giveWhole(last, ending.kind);
    this.#segment = undefined;
    this.#setting.emit({ kind: 'periodEnded', ordinal: this.ordinal });
  }

  #giveWhole(cut: CutVideo, kind: 'segment' | 'tail'): void {
    this.#audio?.clock.fillTo(this.#audio.toSamples(cut.end));
    this.#give(cut, kind);
  }
}
