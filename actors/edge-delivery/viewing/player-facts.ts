/** What a page learns from its player; pure. */

/** How the player does, reported twice a second. */
export interface PlayerFacts {
  /** On the engine's own clock. Only its changes count. */
  readonly positionSeconds: number;
  readonly isPaused: boolean;
  /** True when it has played all there is. */
  readonly isEnded: boolean;
  readonly isMuted: boolean;
  /** Nobody sees the page: browsers may put off what it loads. */
  readonly isHidden: boolean;
  /** How far before the place where a live viewer plays. Undefined while unknown, and in a recording. */
  readonly behindSeconds: number | undefined;
}

/** Of a player that has nothing to play. */
export const idleFacts: PlayerFacts = {
  positionSeconds: 0,
  isPaused: true,
  isEnded: false,
  isMuted: false,
  isHidden: false,
  behindSeconds: undefined,
};
