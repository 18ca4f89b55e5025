/**
 * How the player talks with a page that embeds it, by `postMessage`: each message is one flat object with `tangaza: 1`.
 *
 * The player sends only to the page around it, and obeys only that page. The page's origin is what `?origin=` says, or else what the
 * browser says about the frame's parent. A wrong `?origin=` opens nothing: the browser then delivers no event, and no command matches.
 */
import { secondsOf } from './clock-text.ts';
import type { ViewKind } from './page-view.ts';

export type EmbedCommand =
  | { readonly kind: 'play' | 'pause' | 'mute' | 'unmute' | 'live' }
  | { readonly kind: 'seek'; readonly seconds: number };

export type EmbedEvent =
  | { readonly type: 'state'; readonly state: ViewKind; readonly title: string; readonly isMuted: boolean }
  | {
      readonly type: 'time';
      /** On the timeline of the stream; null while unknown. */
      readonly seconds: number | null;
      readonly behindSeconds: number | null;
      readonly startSeconds: number | null;
      readonly endSeconds: number | null;
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

const version = 1;

/** The message that is sent to the page around the player. */
export function envelope(streamId: string, event: EmbedEvent): Readonly<Record<string, unknown>> {
  return { tangaza: version, stream: streamId, ...event };
}

const plain = ['play', 'pause', 'mute', 'unmute', 'live'] as const;

/** @returns undefined for anything that is none of our commands */
export function readCommand(message: unknown): EmbedCommand | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if (!('tangaza' in message) || message.tangaza !== version || !('command' in message)) return undefined;
  const { command } = message;
  if (command === 'seek') {
    const seconds = 'seconds' in message ? message.seconds : undefined;
    return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
      ? { kind: 'seek', seconds }
      : undefined;
  }
  const kind = plain.find((one) => one === command);
  return kind === undefined ? undefined : { kind };
}

export interface FrameFacts {
  /** `?origin=` */
  readonly asked: string | null;
  /** What the browser says of the parent: its origin, or the address of the page that led here. */
  readonly ancestor: string | undefined;
  readonly referrer: string;
  readonly isFramed: boolean;
}

/** The only origin that gets events and gives commands; undefined when there is none. */
export function parentOrigin({ asked, ancestor, referrer, isFramed }: FrameFacts): string | undefined {
  if (!isFramed) return undefined;
  if (asked !== null) return originOf(asked);
  return originOf(ancestor ?? '') ?? originOf(referrer);
}

function originOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { origin, protocol } = new URL(address);
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
}

/** How a page wants its player, from the query. */
export interface PlayerOptions {
  /** True lets it play by itself, unless `autoplay=0`. */
  readonly mayStart: boolean;
  readonly isMuted: boolean;
  /** Seconds on the timeline of the stream. */
  readonly startSeconds: number | undefined;
  readonly hasControls: boolean;
  readonly poster: Poster;
}

export type Poster = { readonly kind: 'own' | 'none' } | { readonly kind: 'given'; readonly url: string };

/** Where the player is shown. */
export interface PageFacts {
  readonly origin: string;
  readonly isFramed: boolean;
}

/** `t` comes from a shared link of `/watch`, `start` from an embedding page. */
export function playerOptions(query: URLSearchParams, page: PageFacts): PlayerOptions {
  return {
    mayStart: flag(query.get('autoplay'), true),
    isMuted: flag(query.get('muted'), false),
    startSeconds: secondsOf(query.get('start') ?? query.get('t')),
    hasControls: flag(query.get('controls'), true),
    poster: posterOf(query.get('poster'), page),
  };
}

/** A flag without a value is on, as in HTML. `0`, `false`, `no` and `off` turn it off. */
export function flag(value: string | null, otherwise: boolean): boolean {
  if (value === null) return otherwise;
  return !['0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

/**
 * `poster=0` means none. An address must begin with http or https. A picture of another origin is taken only in a frame, where it
 * stands under the name of the page around. In a window of its own anybody's link would put a picture under our name.
 */
export function posterOf(value: string | null, { origin, isFramed }: PageFacts): Poster {
  if (value === null || value === '' || value === '1') return { kind: 'own' };
  if (!flag(value, true)) return { kind: 'none' };
  const from = originOf(value);
  return from === undefined || (from !== origin && !isFramed)
    ? { kind: 'own' }
    : { kind: 'given', url: value };
}

const errors: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  removed: { code: 'STREAM_REMOVED', message: 'The stream was removed.' },
  unknown: { code: 'STREAM_NOT_FOUND', message: 'There is no such stream.' },
  offline: { code: 'OFFLINE', message: 'No server answers; the player tries again.' },
  reconnecting: { code: 'CONNECTION_LOST', message: 'The player connects again.' },
  cannotPlay: { code: 'CANNOT_PLAY', message: 'The browser cannot play the stream.' },
};

/** The `error` event for a view that shows an error. */
export function errorOf(view: ViewKind): { readonly code: string; readonly message: string } | undefined {
  return errors[view];
}
