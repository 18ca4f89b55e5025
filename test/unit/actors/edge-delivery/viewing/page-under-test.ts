/** The state of a viewer's page under a clock, and what is seen of it. */
import {
  advance,
  firstState,
  type PageEvent,
  type PageState,
} from '../../../../../actors/edge-delivery/viewing/page-state.ts';
import type { PlayerFacts } from '../../../../../actors/edge-delivery/viewing/player-facts.ts';
import { viewOf } from '../../../../../actors/edge-delivery/viewing/page-view.ts';
import type {
  Answer,
  BroadcastState,
  Unheard,
} from '../../../../../actors/edge-delivery/viewing/public-stream.ts';

const playingFacts: PlayerFacts = {
  positionSeconds: 0,
  isPaused: false,
  isEnded: false,
  isMuted: false,
  isHidden: false,
  behindSeconds: 0,
};

/** A page under a clock: each step takes half a second, as the ticks of the real one do. */
export class PageUnderTest {
  #nowMs = 1_000_000;
  #facts = playingFacts;
  state: PageState;

  constructor(mayStart = true) {
    this.state = firstState({ nowMs: this.#nowMs, mayStart });
  }

  tell(event: PageEvent): this {
    this.state = advance(this.state, event, this.#nowMs);
    return this;
  }

  hears(state: BroadcastState, unheard?: Unheard): this {
    return this.tell({
      kind: 'answered',
      answer: { kind: 'stream', stream: { title: 'News', state, poster: undefined, unheard } },
    });
  }

  answers(kind: Exclude<Answer['kind'], 'stream'>, isOffline = false): this {
    return this.tell({ kind: 'answered', answer: kind === 'none' ? { kind, isOffline } : { kind } });
  }

  plays(): this {
    return this.tell({
      kind: 'loaded',
      hasPicture: true,
      isLive: this.state.load.kind === 'live',
      isCut: false,
    })
      .tell({ kind: 'started', isMuted: false })
      .ticks();
  }

  /** The picture moves. */
  ticks(facts: Partial<PlayerFacts> = {}, afterMs = 500): this {
    this.#nowMs += afterMs;
    const positionSeconds = this.#facts.positionSeconds + 0.5;
    this.#facts = { ...this.#facts, positionSeconds, ...facts };
    return this.tell({ kind: 'tick', facts: this.#facts });
  }

  /** The picture stands still. */
  stands(forMs: number, facts: Partial<PlayerFacts> = {}): this {
    for (let passedMs = 0; passedMs < forMs; passedMs += 500)
      this.ticks({ positionSeconds: this.#facts.positionSeconds, ...facts });
    return this;
  }

  get view() {
    return viewOf(this.state, this.#nowMs);
  }

  get seen(): string {
    const { kind, badge } = this.view;
    return `${kind} [${badge.text} ${badge.tone}]`;
  }
}

export const page = (mayStart?: boolean) => new PageUnderTest(mayStart);
export const live = () => page().hears('live').plays();
