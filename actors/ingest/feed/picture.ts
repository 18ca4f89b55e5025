/**
 * Puts coded pictures on the connection's clock, and decides with which of them a segment may start (M3).
 *
 * With HEVC that is known only afterwards. A CRA, or an IDR with RADL pictures, is shown after the leading pictures
 * that follow it, and RASL pictures refer back across it. Leading pictures come before all trailing ones, so the first
 * trailing picture decides. Until then a candidate and its leading pictures are held back. H.264 and AV1 pass straight
 * through.
 */
import type { CodedPicture } from './intake/coded-picture.ts';
import type { PictureRole } from './intake/unit-rules.ts';

export interface Picture {
  readonly data: CodedPicture;
  /** Unwrapped ms of the connection. `ptsMs` is the decode time plus the composition time. */
  readonly dtsMs: number;
  readonly ptsMs: number;
  /** Whether a segment may start here. */
  readonly isKey: boolean;
  /** For a key picture: the earliest presentation time from here on, with that of its leading pictures. */
  readonly cutMs: number;
}

export interface RawPicture {
  readonly data: CodedPicture;
  readonly dtsMs: number;
  readonly ptsMs: number;
  readonly role: PictureRole;
}

/** No encoder makes more leading pictures than this. With more, the stage gives up and does not cut there. */
const maxHeld = 32;

const settle = (raw: RawPicture, isKey: boolean, cutMs = raw.ptsMs): Picture => ({
  data: raw.data,
  dtsMs: raw.dtsMs,
  ptsMs: raw.ptsMs,
  isKey,
  cutMs,
});

export class RandomAccessStage {
  #held: RawPicture[] = [];

  get heldBytes(): number {
    return this.#held.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** @returns the pictures that are now decided, in decode order */
  push(raw: RawPicture): readonly Picture[] {
    switch (raw.role) {
      case 'key':
      case 'other':
        return this.#held.length === 0
          ? [settle(raw, raw.role === 'key')]
          : [...this.flush(), settle(raw, raw.role === 'key')];
      case 'maybeKey': {
        const before = this.flush();
        this.#held = [raw];
        return before;
      }
      case 'leading':
      case 'rasl':
        return this.#pushLeading(raw);
      default:
        raw.role satisfies never;
        return [];
    }
  }

  #pushLeading(raw: RawPicture): readonly Picture[] {
    if (this.#held.length === 0) return [settle(raw, false)];
    this.#held.push(raw);
    if (raw.role === 'rasl' || this.#held.length > maxHeld) return this.#release(false);
    return [];
  }

  /** Decides on what is held, because a trailing picture came or nothing more follows. */
  flush(): readonly Picture[] {
    return this.#release(true);
  }

  #release(isKey: boolean): readonly Picture[] {
    const held = this.#held;
    this.#held = [];
    const earliestMs = Math.min(...held.map(({ ptsMs }) => ptsMs));
    return held.map((raw, i) => settle(raw, isKey && i === 0, i === 0 ? earliestMs : raw.ptsMs));
  }
}
