/**
 * The audio of one period. It counts frames to rebuild the audio's clock (M9).
 *
 * FLV tells whole milliseconds, but a frame lasts 21.33 ms, so FLV's times would leave small holes everywhere. So
 * frames queue up back to back from the first one's time on, and FLV's clock only corrects:
 * - low-passed and more than one frame off for 2 s: a frame is dropped, or a silent one put in, at the next border;
 * - more than 500 ms ahead: the hole is filled with silence and declared;
 * - behind what has already been filled: frames are dropped until they are in time again.
 *
 * A player stalls on a hole in one track even when it has the other, so a hole gets silence. Times are samples since
 * the period's first picture. The queue is contiguous: frame i starts at `start + i * samplesPerFrame`.
 */
export interface AudioFormat {
  readonly sampleRate: number;
  readonly samplesPerFrame: number;
  readonly silence: Uint8Array;
}

export interface AudioFrame {
  readonly data: Uint8Array;
  readonly isSilent: boolean;
}

export interface AudioStretch {
  readonly start: number;
  readonly end: number;
  readonly frames: readonly AudioFrame[];
}

/** What became of a pushed frame. */
export type AudioVerdict = 'taken' | 'early' | 'late' | 'gap';

const jumpSeconds = 0.5;
const driftSeconds = 2;
const smoothingSeconds = 1;
/** No single hole is filled beyond this: the session keeps audio near the video. */
const maxFillSeconds = 30;

export class AudioClock {
  readonly #format: AudioFormat;
  #start: number | undefined;
  readonly #frames: AudioFrame[] = [];
  #bytes = 0;
  /** FLV's clock minus the counted one, low-passed, in samples. */
  #errorSamples = 0;
  #outsideSamples = 0;
  #mustAlign = true;
  #dropsDue = 0;
  #corrections = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasAny(): boolean {
    return this.#frames.length > 0;
  }

  /** Frames not yet taken. */
  get queued(): number {
    return this.#frames.length;
  }

  /** Where the first queued frame lies, or will. */
  get start(): number {
    return this.#start ?? 0;
  }

  /** Where the next frame will lie. */
  get next(): number {
    return (this.#start ?? 0) + this.#frames.length * this.#format.samplesPerFrame;
  }

  /** Frames dropped or put in because of drift so far. */
  get corrections(): number {
    return this.#corrections;
  }

  /** The last `most` queued frames and where the first of them lies: kept, not taken. */
  last(most: number): { readonly start: number; readonly frames: readonly AudioFrame[] } {
    const frames = this.#frames.slice(-most);
    return { start: this.next - frames.length * this.#format.samplesPerFrame, frames };
  }

  /** @param time FLV's, in samples since the first picture; fractions welcome */
  push(time: number, data: Uint8Array): AudioVerdict {
    if (this.#start === undefined) return this.#pushFirst(time, data);
    const { sampleRate, samplesPerFrame } = this.#format;
    const error = time - this.next;
    if (this.#mustAlign || Math.abs(error) > jumpSeconds * sampleRate) return this.#align(error, data);
    this.#follow(error);
    if (this.#dropsDue > 0) {
      this.#dropsDue -= 1;
      this.#errorSamples += samplesPerFrame;
      return 'taken';
    }
    this.#append(data, false);
    return 'taken';
  }

  #pushFirst(time: number, data: Uint8Array): AudioVerdict {
    if (time < 0) return 'early';
    const { sampleRate, samplesPerFrame } = this.#format;
    const silent = time > jumpSeconds * sampleRate ? Math.floor(time / samplesPerFrame) : 0;
    this.#start = Math.round(time) - silent * samplesPerFrame;
    this.#fill(silent);
    this.#mustAlign = false;
    this.#append(data, false);
    return silent > 0 ? 'gap' : 'taken';
  }

  /** After a hole: frames join at the nearest free place, those before it are too late. */
  #align(error: number, data: Uint8Array): AudioVerdict {
    const { sampleRate, samplesPerFrame } = this.#format;
    if (error < -samplesPerFrame / 2) {
      this.#mustAlign = true;
      return 'late';
    }
    const silent = Math.round(error / samplesPerFrame);
    this.#fill(Math.min(silent, Math.floor((maxFillSeconds * sampleRate) / samplesPerFrame)));
    this.#append(data, false);
    this.#mustAlign = false;
    this.#errorSamples = 0;
    this.#outsideSamples = 0;
    return silent * samplesPerFrame > jumpSeconds * sampleRate ? 'gap' : 'taken';
  }

  #follow(error: number): void {
    const { sampleRate, samplesPerFrame } = this.#format;
    this.#errorSamples +=
      (error - this.#errorSamples) * Math.min(1, samplesPerFrame / (smoothingSeconds * sampleRate));
    const isOutside = Math.abs(this.#errorSamples) > samplesPerFrame;
    this.#outsideSamples = isOutside ? this.#outsideSamples + samplesPerFrame : 0;
  }

  #append(data: Uint8Array, isSilent: boolean): void {
    this.#frames.push({ data, isSilent });
    this.#bytes += data.length;
  }

  #fill(count: number): void {
    for (let i = 0; i < count; i += 1) this.#append(this.#format.silence, true);
  }

  /** How many queued or future frames lie before the border nearest to `time`. */
  #countBefore(time: number): number {
    return Math.max(0, Math.round((time - (this.#start ?? 0)) / this.#format.samplesPerFrame));
  }

  /** Whether all frames before the border nearest to `time` are here. */
  hasPassed(time: number): boolean {
    return this.#start !== undefined && this.#frames.length >= this.#countBefore(time);
  }

  /** Fills with silence up to the border nearest to `time`. @returns how many frames it took */
  fillTo(time: number): number {
    this.#start ??= 0;
    const missing = this.#countBefore(time) - this.#frames.length;
    if (missing <= 0) return 0;
    this.#fill(missing);
    this.#mustAlign = true;
    return missing;
  }

  /** Takes the frames before the border nearest to `time`, and sets drift right there. */
  takeUntil(time: number): AudioStretch {
    const start = this.#start ?? 0;
    const count = Math.min(this.#countBefore(time), this.#frames.length);
    const frames = this.#frames.splice(0, count);
    for (const { data } of frames) this.#bytes -= data.length;
    const end = start + count * this.#format.samplesPerFrame;
    this.#start = end;
    this.#correct();
    return { start, end, frames };
  }

  #correct(): void {
    const { sampleRate, samplesPerFrame, silence } = this.#format;
    if (this.#outsideSamples < driftSeconds * sampleRate) return;
    this.#outsideSamples = 0;
    this.#corrections += 1;
    if (this.#errorSamples > 0) {
      this.#frames.unshift({ data: silence, isSilent: true });
      this.#bytes += silence.length;
      this.#errorSamples -= samplesPerFrame;
      return;
    }
    const dropped = this.#frames.shift();
    if (dropped === undefined) {
      this.#dropsDue += 1;
      return;
    }
    this.#bytes -= dropped.data.length;
    this.#errorSamples += samplesPerFrame;
  }
}
