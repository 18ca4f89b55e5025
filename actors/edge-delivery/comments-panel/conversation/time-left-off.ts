/** Until when a page has been told its stream: what it says when it comes back (A8). */
import type { LeftOff } from '../state/live-message.ts';

export class TimeLeftOff {
  #told: LeftOff | undefined;
  #isWelcome = false;

  /** Says it in a hello. What comes before that one is answered tells nothing of the stream: an edge may say only that it cannot answer. */
  said(): LeftOff | undefined {
    this.#isWelcome = false;
    return this.#told;
  }

  /** @param leftOff what a frame bears @param isWelcome whether the frame welcomes the page */
  heard(leftOff: LeftOff, isWelcome: boolean): void {
    this.#isWelcome ||= isWelcome;
    if (this.#isWelcome) this.#told = leftOff;
  }
}
