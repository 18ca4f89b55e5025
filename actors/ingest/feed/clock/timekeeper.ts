/** Stands between a connection's times and its feed: mends outliers, and refuses clocks that make no sense. */
import type { Now, WarningCode } from '../../ingest-events.ts';
import type { Feed } from '../feed.ts';
import type { AudioConfiguration } from '../period.ts';
import type { RawPicture } from '../picture.ts';
import type { VideoConfiguration } from '../video-configuration.ts';
import { Pace } from './pace.ts';
import { TimeGate, type Released } from './time-gate.ts';

type Sample =
  | { readonly kind: 'picture'; readonly picture: RawPicture; readonly now: Now }
  | { readonly kind: 'frame'; readonly data: Uint8Array; readonly now: Now };

export class Timekeeper {
  readonly #feed: Feed;
  readonly #warn: (code: WarningCode, detail: string) => void;
  readonly #gate = new TimeGate<Sample>();
  readonly #pace = new Pace();

  constructor(feed: Feed, warn: (code: WarningCode, detail: string) => void) {
    this.#feed = feed;
    this.#warn = warn;
  }

  get video(): VideoConfiguration | undefined {
    return this.#feed.video;
  }

  get audio(): AudioConfiguration | undefined {
    return this.#feed.audio;
  }

  get isUnderWay(): boolean {
    return this.#feed.video !== undefined || this.#feed.audio !== undefined;
  }

  get heldBytes(): number {
    return this.#gate.heldBytes;
  }

  onVideoConfiguration(video: VideoConfiguration, now: Now): void {
    this.settle();
    this.#feed.onVideoConfiguration(video, now);
  }

  onAudioConfiguration(audio: AudioConfiguration): void {
    this.settle();
    this.#feed.onAudioConfiguration(audio);
  }

  /** @throws TangazaError `MEDIA_INVALID` for times that make no sense, or have not the pace of the wall clock */
  onPicture(picture: RawPicture, now: Now): void {
    const { dtsMs, data } = picture;
    const timing = { track: 'video', ms: dtsMs, arrivedMs: now.monotonicMs, bytes: data.length } as const;
    this.#passOn(this.#gate.push({ ...timing, value: { kind: 'picture', picture, now } }));
  }

  /** @throws as `onPicture` */
  onAudioFrame(ms: number, data: Uint8Array, now: Now): void {
    const timing = { track: 'audio', ms, arrivedMs: now.monotonicMs, bytes: data.length } as const;
    this.#passOn(this.#gate.push({ ...timing, value: { kind: 'frame', data, now } }));
  }

  /** @throws as `onPicture` */
  tick(now: Now): void {
    this.#passOn(this.#gate.tick(now.monotonicMs));
  }

  /** Gives out all that is held; called before anything that changes the feed. */
  settle(): void {
    this.#passOn(this.#gate.flush());
  }

  #passOn(released: readonly Released<Sample>[]): void {
    for (const { value, ms, outlierByMs } of released) {
      if (outlierByMs !== undefined) this.#warnOfOutlier(value, outlierByMs);
      const { now } = value;
      if (value.kind === 'picture') {
        this.#pace.note('video', ms, now.monotonicMs, 0);
        const { dtsMs, ptsMs } = value.picture;
        const isMended = ms !== dtsMs;
        this.#feed.onPicture(
          isMended ? { ...value.picture, dtsMs: ms, ptsMs: ms + ptsMs - dtsMs } : value.picture,
          now,
        );
      } else {
        this.#pace.note('audio', ms, now.monotonicMs, this.#feed.frameMs);
        this.#feed.onAudioFrame(ms, value.data, now);
      }
    }
  }

  #warnOfOutlier({ kind }: Sample, byMs: number): void {
    const what = kind === 'picture' ? 'a picture' : 'an audio frame';
    this.#warn(
      'timestampOutlier',
      `${what} told a time ${(byMs / 1000).toFixed(1)} s away from its neighbours and is shown between them`,
    );
  }
}
