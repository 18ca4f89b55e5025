/** The audio of a period: its configuration, its clock that counts frames, and what has been measured. */
import { markHashLength, type PeriodMarks } from '../../../cluster/contract/contribution.ts';
import { AudioClock, type AudioStretch, type AudioVerdict } from './audio-clock.ts';
import { ticksPerSecond } from './cut-rule.ts';
import type { PeriodAudio, PeriodPlace } from '../ingest-events.ts';
import { frameHash } from './marks.ts';
import { describeAudio, frameOverheadBytes, type AudioConfiguration } from './period.ts';

/** About 20 s of frames. */
const maxMarkedFrames = 1024;

export class AudioTrackState {
  readonly configuration: AudioConfiguration;
  readonly clock: AudioClock;
  #frames = 0;
  #bytes = 0;

  constructor(configuration: AudioConfiguration) {
    this.configuration = configuration;
    const { sampleRate, samplesPerFrame } = configuration.aac;
    this.clock = new AudioClock({ sampleRate, samplesPerFrame, silence: configuration.silence });
  }

  get bufferedBytes(): number {
    return this.clock.bytes + this.clock.queued * frameOverheadBytes;
  }

  /** @param sinceZeroMs FLV's time since the period's zero */
  push(sinceZeroMs: number, data: Uint8Array): AudioVerdict {
    const verdict = this.clock.push((sinceZeroMs * this.configuration.aac.sampleRate) / 1000, data);
    if (verdict === 'taken' || verdict === 'gap') {
      this.#frames += 1;
      this.#bytes += data.length;
    }
    return verdict;
  }

  toSamples(time90k: number): number {
    return (time90k * this.configuration.aac.sampleRate) / ticksPerSecond;
  }

  to90k(samples: number): number {
    return Math.round((samples * ticksPerSecond) / this.configuration.aac.sampleRate);
  }

  describe(toldBps: number | undefined): PeriodAudio {
    const { sampleRate, samplesPerFrame } = this.configuration.aac;
    const seconds = (this.#frames * samplesPerFrame) / sampleRate;
    return describeAudio(this.configuration, toldBps, seconds > 0 ? (this.#bytes * 8) / seconds : 0);
  }

  /** The hashes of the last queued frames, by which the audio is recognised (M2). */
  marks(): PeriodMarks['audio'] {
    const { start, frames } = this.clock.last(maxMarkedFrames);
    const hashes = frames.map(({ data }) => frameHash(data).slice(0, markHashLength));
    return { start, samplesPerFrame: this.configuration.aac.samplesPerFrame, hashes };
  }

  part(stretch: AudioStretch, { offset90k, audioOffset }: PeriodPlace, mayBeAbsent: boolean) {
    const { samplesPerFrame } = this.configuration.aac;
    const offset = audioOffset ?? Math.round(this.toSamples(offset90k));
    return { stretch, samplesPerFrame, offset, mayBeAbsent };
  }
}
