/**
 * An HLS session as players keep one, without media: it loads what its playlist lists, in order, and may change to the playlist of another region
 * at any refresh.
 *
 * P1. In one region it goes on by numbers (RFC 8216bis 6.3.4): the next one is the last one plus one, and a number means one URI.
 * P2. After a change of region numbers say nothing, so it goes on by programme date and time: with the first segment that starts no more than
 *     a few ms before the end of what it has (hls.js `alignMediaPlaylistByPDT`, Shaka `syncSegments`, dash.js by the wall clock of a period).
 */
import type { Playlist, PlaylistSegment } from './playlists.ts';

/** What is played, in order. */
export interface Played {
  readonly uri: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly region: string;
}

const slackMs = 3;

export class HlsSession {
  readonly played: Played[] = [];
  readonly faults: string[] = [];
  readonly #meanings = new Map<string, string>();
  /** Sabotage: a change of region is gone on by numbers, too. */
  readonly #isByNumber: boolean;
  #region: string | undefined;
  #lastNumber = -1;
  #lastSequences = { media: -1, discontinuity: -1 };

  constructor({ isByNumber = false }: { readonly isByNumber?: boolean } = {}) {
    this.#isByNumber = isByNumber;
  }

  /** One refresh: whatever is new is loaded. */
  refresh(region: string, playlist: Playlist): void {
    const isChanged = this.#region !== undefined && this.#region !== region;
    this.#judge(region, playlist, isChanged);
    const next = isChanged && !this.#isByNumber ? this.#byDate(playlist) : this.#byNumber(playlist);
    this.#region = region;
    if (next < 0) return void this.#fault('it does not find its place');
    for (const segment of playlist.segments.slice(next)) this.#load(region, segment);
    this.#lastNumber = playlist.lastNumber;
  }

  #byNumber({ mediaSequence, segments }: Playlist): number {
    if (this.#lastNumber < 0) return Math.max(0, segments.length - 3);
    const next = this.#lastNumber + 1 - mediaSequence;
    return next <= segments.length ? next : -1;
  }

  #byDate({ segments }: Playlist): number {
    const endMs = this.played.at(-1)?.endMs ?? 0;
    const at = segments.findIndex((segment) => startOf(segment) > endMs - slackMs);
    const last = segments.at(-1);
    return at < 0 && last !== undefined && startOf(last) + last.durationSeconds * 1000 > endMs - slackMs
      ? segments.length
      : at;
  }

  /** Within a region no number goes back, and none means two segments. */
  #judge(
    region: string,
    { mediaSequence, discontinuitySequence, segments }: Playlist,
    isChanged: boolean,
  ): void {
    const [media, discontinuity] = [mediaSequence, discontinuitySequence];
    if (
      !isChanged &&
      (media < this.#lastSequences.media || discontinuity < this.#lastSequences.discontinuity)
    )
      this.#fault(`${region}: a sequence went back to ${media}, ${discontinuity}`);
    this.#lastSequences = { media, discontinuity };
    for (const { number, uri } of segments) {
      const key = `${region} ${number}`;
      const known = this.#meanings.get(key) ?? uri;
      this.#meanings.set(key, known);
      if (known !== uri) this.#fault(`${key} was ${known} and is ${uri}`);
    }
  }

  #load(region: string, segment: PlaylistSegment): void {
    const { uri, isGap, durationSeconds } = segment;
    const startMs = startOf(segment);
    const before = this.played.at(-1);
    if (isGap) this.#fault(`${uri} is a gap`);
    if (before !== undefined && Math.abs(startMs - before.endMs) > slackMs)
      this.#fault(`${uri} starts ${Math.round(startMs - before.endMs)} ms behind the end of what was played`);
    this.played.push({ uri, startMs, endMs: startMs + durationSeconds * 1000, region });
  }

  #fault(what: string): void {
    this.faults.push(what);
  }
}

const startOf = ({ programDateTime }: PlaylistSegment): number => Date.parse(programDateTime ?? '');
