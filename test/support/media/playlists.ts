/** Media playlists, parsed just far enough to hold them against each other. */
import { waitFor } from '../wait.ts';

export interface PlaylistSegment {
  readonly number: number;
  readonly uri: string;
  /** URI of its init segment. */
  readonly init: string;
  readonly durationSeconds: number;
  readonly programDateTime: string | undefined;
  readonly isGap: boolean;
  readonly isDiscontinuity: boolean;
}

export interface Playlist {
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly targetDuration: number;
  /** How far a player stays behind the end at least; 0 where it is not told. */
  readonly holdBackSeconds: number;
  readonly isEnded: boolean;
  readonly segments: readonly PlaylistSegment[];
  /** Number of the newest segment; -1 for none. */
  readonly lastNumber: number;
}

export function parsePlaylist(text: string): Playlist {
  const lines = text.split('\n');
  const valueOf = (tag: string): number =>
    Number(lines.find((line) => line.startsWith(`${tag}:`))?.slice(tag.length + 1) ?? 0);
  const mediaSequence = valueOf('#EXT-X-MEDIA-SEQUENCE');
  const segments: PlaylistSegment[] = [];
  let next = {
    durationSeconds: 0,
    programDateTime: undefined as string | undefined,
    isGap: false,
    isDiscontinuity: false,
  };
  let init = '';
  for (const line of lines) {
    if (line.startsWith('#EXT-X-MAP:')) init = /URI="([^"]*)"/.exec(line)?.[1] ?? '';
    else if (line.startsWith('#EXTINF:'))
      next = { ...next, durationSeconds: Number.parseFloat(line.slice(8)) };
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:'))
      next = { ...next, programDateTime: line.slice(25) };
    else if (line === '#EXT-X-GAP') next = { ...next, isGap: true };
    else if (line === '#EXT-X-DISCONTINUITY') next = { ...next, isDiscontinuity: true };
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ number: mediaSequence + segments.length, uri: line, init, ...next });
      next = { durationSeconds: 0, programDateTime: undefined, isGap: false, isDiscontinuity: false };
    }
  }
  return {
    mediaSequence,
    discontinuitySequence: valueOf('#EXT-X-DISCONTINUITY-SEQUENCE'),
    targetDuration: valueOf('#EXT-X-TARGETDURATION'),
    holdBackSeconds: Number(/^#EXT-X-SERVER-CONTROL:(?:.*,)?HOLD-BACK=([\d.]+)/m.exec(text)?.[1] ?? 0),
    isEnded: lines.includes('#EXT-X-ENDLIST'),
    segments,
    lastNumber: mediaSequence + segments.length - 1,
  };
}

export async function readPlaylist(url: string): Promise<Playlist> {
  const reply = await fetch(url);
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${text}`);
  return parsePlaylist(text);
}

/** Asks until the playlist is as wanted. @throws Error with the last playlist when it never is */
export async function waitForPlaylist(
  url: string,
  isWanted: (playlist: Playlist) => boolean,
  withinMs: number,
): Promise<Playlist> {
  const what = `${url} is as wanted: ${isWanted.toString()}`;
  return waitFor(what, () => readPlaylist(url), isWanted, { withinMs, everyMs: 200 });
}
