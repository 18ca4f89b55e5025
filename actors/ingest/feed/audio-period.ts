/** A period of audio alone: cuts at the frame nearest to each line of the stream clock's 2 s grid. */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import type { AudioStretch, AudioVerdict } from './audio-clock.ts';
import { AudioTrackState } from './audio-track.ts';
import { earliestCut90k, nextAudioCut } from './cut-rule.ts';
import type { PeriodPlace } from '../ingest-events.ts';
import { sequenceHeaderHash, type AudioConfiguration, type Period, type PeriodSetting } from './period.ts';
import { buildSegment } from './segment-builder.ts';

export class AudioPeriod implements Period {
  readonly kind = 'audio';
  readonly picturesInSegment = 0;
  readonly #setting: PeriodSetting;
  readonly #audio: AudioTrackState;
  #offset: number | undefined;
  #ending: { readonly kind: 'segment' | 'tail'; readonly at: number } | undefined;
  #isAsked = false;
  #isDone = false;

  constructor(setting: PeriodSetting, audio: AudioConfiguration) {
    this.#setting = setting;
    this.#audio = new AudioTrackState(audio);
  }

  get ordinal(): number {
    return this.#setting.ordinal;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  get isOpened(): boolean {
    return this.#offset !== undefined;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get bufferedBytes(): number {
    return this.#audio.bufferedBytes;
  }

  /** Does nothing: pictures belong to the next period. */
  pushPicture(): void {}

  addAudio(): boolean {
    return false;
  }

  pushAudio(ms: number, data: Uint8Array): AudioVerdict {
    const verdict = this.#audio.push(ms - this.#setting.zeroMs, data);
    if (!this.#isAsked && this.#audio.clock.next >= this.#audio.toSamples(earliestCut90k)) this.#ask();
    this.#flush();
    return verdict;
  }

  /** Names nothing: audio alone cannot be recognised, because two silent sources are alike. */
  marks(): PeriodMarks {
    return { pictures: [] };
  }

  open({ offset90k }: PeriodPlace): void {
    if (this.#offset !== undefined) return;
    this.#offset = offset90k;
    this.#flush();
    this.#finish();
  }

  end(kind: 'segment' | 'tail', atMs?: number): void {
    if (this.#ending !== undefined) return;
    if (!this.#isAsked) this.#ask();
    const { sampleRate } = this.#audio.configuration.aac;
    const at =
      atMs === undefined ? this.#audio.clock.next : ((atMs - this.#setting.zeroMs) * sampleRate) / 1000;
    this.#ending = { kind, at };
    this.#finish();
  }

  #ask(): void {
    this.#isAsked = true;
    const { ordinal, zeroMs, wallZeroMs, metadata } = this.#setting;
    this.#setting.emit({
      kind: 'periodReady',
      ordinal,
      period: {
        sequenceHeaderHash: sequenceHeaderHash(undefined, this.#audio.configuration),
        connectionZeroMs: zeroMs,
        wallZeroMs: Math.round(wallZeroMs),
        audio: this.#audio.describe(metadata?.audioBitrateBps),
      },
    });
  }

  /** The grid line at which the segment being filled ends, in samples since the period's zero. */
  #nextCut(offset90k: number): number {
    const { sampleRate, samplesPerFrame } = this.#audio.configuration.aac;
    const offset = Math.round(this.#audio.toSamples(offset90k));
    return nextAudioCut(this.#audio.clock.start + offset, sampleRate, samplesPerFrame) - offset;
  }

  #flush(): void {
    const offset = this.#offset;
    if (offset === undefined || !this.#audio.clock.hasAny) return;
    for (let cut = this.#nextCut(offset); this.#audio.clock.hasPassed(cut); cut = this.#nextCut(offset)) {
      this.#give(this.#audio.clock.takeUntil(cut), 'segment');
    }
  }

  #give(stretch: AudioStretch, kind: 'segment' | 'tail'): void {
    const offset90k = this.#offset ?? 0;
    const audio = this.#audio.part(stretch, { offset90k }, false);
    const { segment } = buildSegment({
      audio,
      start90k: this.#audio.to90k(stretch.start + audio.offset),
      end90k: this.#audio.to90k(stretch.end + audio.offset),
    });
    if (stretch.frames.length > 0) this.#setting.emit({ kind, ordinal: this.ordinal, segment });
  }

  #finish(): void {
    const ending = this.#ending;
    if (ending === undefined || this.#offset === undefined || this.#isDone) return;
    this.#isDone = true;
    this.#give(this.#audio.clock.takeUntil(ending.at), ending.kind);
    this.#setting.emit({ kind: 'periodEnded', ordinal: this.ordinal });
  }
}
