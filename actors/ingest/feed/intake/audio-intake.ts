/**
 * Turns FLV audio tags into AAC frames of a known configuration: the audio half of a session's intake.
 *
 * Headers and codec ids are hearsay, as those of video are (video-intake.ts). Frames with ADTS headers need no other: the
 * configuration is taken out of theirs. Raw frames without a header cannot be read by anybody. That is warned of, and
 * refused after a while.
 */
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../../../cluster/model/unreachable.ts';
import { isAdts, splitAdts, type AdtsFrame } from '../../../media/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../../media/aac/audio-specific-config.ts';
import { silentFrame } from '../../../media/aac/silent-frame.ts';
import { parseAudioTag } from '../../../media/flv/audio-tag.ts';
import { audioHeaderAdvice, audioLayoutAdvice } from '../../encoder-advice.ts';
import type { Now, WarningCode } from '../../ingest-events.ts';
import type { AudioConfiguration } from '../period.ts';
import type { SessionLimits } from '../../session-limits.ts';
import { isSameHeader, TrackFaults, wordsOf } from './track-faults.ts';

export interface AudioIntakePorts {
  readonly limits: SessionLimits;
  readonly feed: {
    readonly audio: AudioConfiguration | undefined;
    /** A track has its configuration already. */
    readonly isUnderWay: boolean;
    onAudioConfiguration(audio: AudioConfiguration): void;
    onAudioFrame(ms: number, data: Uint8Array, now: Now): void;
  };
  readonly unwrap: (wireMs: number) => number;
  readonly warn: (code: WarningCode, detail: string) => void;
}

/** Browsers play the layouts that a number names, not those that a program config element spells out (number 0). */
function layoutRefused(number: number): TangazaError {
  const layout = number === 0 ? 'its own channel layout (PCE)' : `channel configuration ${number}`;
  return new TangazaError('CODEC_REFUSED', `AAC with ${layout} is not taken: ${audioLayoutAdvice}`);
}

/** @throws TangazaError `MEDIA_INVALID`, `CODEC_REFUSED` */
function readConfiguration(bytes: Uint8Array): AudioConfiguration {
  const aac = parseAudioSpecificConfig(bytes);
  const silence = silentFrame(aac.channelConfiguration);
  if (silence === undefined) throw layoutRefused(aac.channelConfiguration);
  return { aac, bytes: Uint8Array.from(bytes), silence };
}

/** @throws TangazaError `MEDIA_INVALID`, `CODEC_REFUSED` */
function splitTaken(message: Uint8Array): readonly AdtsFrame[] {
  const frames = splitAdts(message);
  if (frames.some(({ channelConfiguration }) => channelConfiguration === 0)) throw layoutRefused(0);
  return frames;
}

export class AudioIntake {
  readonly #ports: AudioIntakePorts;
  readonly #faults: TrackFaults;
  /** The last header that could be used, and whether it came by itself or on ADTS frames. */
  #header: { readonly bytes: Uint8Array; readonly from: 'header' | 'adts' } | undefined;

  constructor(ports: AudioIntakePorts) {
    this.#ports = ports;
    this.#faults = new TrackFaults(ports.limits);
  }

  /** @throws TangazaError the reason for which the feed is refused */
  take(payload: Uint8Array, timestampMs: number, now: Now): void {
    const tag = this.#read('FLV audio tags', () => parseAudioTag(payload));
    switch (tag?.kind) {
      case undefined:
      case 'end':
      case 'ignored':
        return;
      case 'configuration':
        return this.#takeHeader(tag.configuration, 'header');
      case 'frame':
        return this.#takeFrame(tag.data, timestampMs, now);
      default:
        return unreachable(tag);
    }
  }

  /** @throws TangazaError when no usable header came in time */
  check(now: Now): void {
    this.#faults.check(now.runningMs, 'AAC', audioHeaderAdvice);
  }

  #takeHeader(bytes: Uint8Array, from: 'header' | 'adts'): void {
    if (bytes.length === 0 || isSameHeader(this.#header?.bytes, bytes)) return;
    try {
      this.#ports.feed.onAudioConfiguration(readConfiguration(bytes));
      this.#header = { bytes: Uint8Array.from(bytes), from };
      this.#faults.goodHeader();
    } catch (error) {
      if (errorCodeOf(error) !== 'MEDIA_INVALID') throw error;
      this.#faults.badHeader(wordsOf(error));
      const kept = this.#ports.feed.audio === undefined ? '' : '; the one in force stays';
      this.#ports.warn('audioHeaderIgnored', `a sequence header of AAC is ignored: ${wordsOf(error)}${kept}`);
    }
  }

  #takeFrame(data: Uint8Array, timestampMs: number, now: Now): void {
    if (data.length === 0) return;
    if (isAdts(data)) return this.#takeAdts(data, timestampMs, now);
    if (this.#ports.feed.audio === undefined) return this.#drop(now);
    this.#faults.sound();
    this.#ports.feed.onAudioFrame(this.#ports.unwrap(timestampMs), Buffer.from(data), now);
  }

  #drop(now: Now): void {
    this.#faults.unexplained(now.runningMs);
    this.#ports.warn(
      'audioHeaderMissing',
      'the sound is dropped: no sequence header of AAC came that can be used',
    );
  }

  #takeAdts(message: Uint8Array, timestampMs: number, now: Now): void {
    const frames = this.#read('AAC frames', () => splitTaken(message));
    if (frames === undefined) return;
    this.#ports.warn('adts', 'AAC comes with ADTS headers, which FLV does not know: they are taken off');
    const firstMs = this.#ports.unwrap(timestampMs);
    for (const [i, { configuration, data }] of frames.entries()) {
      if (this.#header?.from !== 'header') this.#takeHeader(configuration, 'adts');
      const aac = this.#ports.feed.audio?.aac;
      if (aac === undefined) return this.#drop(now);
      this.#faults.sound();
      const ms = firstMs + Math.round((i * aac.samplesPerFrame * 1000) / aac.sampleRate);
      this.#ports.feed.onAudioFrame(ms, Buffer.from(data), now);
    }
  }

  /** A damaged tag is dropped and counted. Too many in a row, or a codec that is not taken, end the feed. */
  #read<T>(what: string, read: () => T): T | undefined {
    const { feed, warn } = this.#ports;
    const tellDropped = (why: string): void => warn('audioCorrupt', `an audio frame was dropped: ${why}`);
    return this.#faults.read(what, read, { isUnderWay: feed.isUnderWay, tellDropped });
  }
}
