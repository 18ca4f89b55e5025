/** What a viewer gets of one rendition: its playlist, every segment that it lists, and the samples in them. */
import { createHash } from 'node:crypto';
import { readSegment, type ReadSegment } from '../../../actors/media/cmaf/reader.ts';
import { readPlaylist, type Playlist, type PlaylistSegment } from './playlists.ts';

export interface DeliveredSegment extends PlaylistSegment {
  /** The number in its URI: `{period}/{rendition}/{startTime}.m4s`. */
  readonly startTime: number;
  readonly bytes: Uint8Array;
  readonly initSha256: string;
  readonly media: ReadSegment;
}

export interface DeliveredRendition {
  readonly name: string;
  readonly playlist: Playlist;
  readonly segments: readonly DeliveredSegment[];
  /** Init segment of the first, and all segments, one after the other. */
  readonly file: Uint8Array;
  readonly timescale: number;
  /** Presentation times of all samples, in the rendition's timescale, sorted. */
  readonly times: readonly number[];
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const reply = await fetch(url);
  const bytes = new Uint8Array(await reply.arrayBuffer());
  if (!reply.ok) throw new Error(`${url.href}: ${reply.status} ${Buffer.from(bytes).toString()}`);
  return bytes;
}

/** Fetches all that the playlist lists. @param base `…/live/{stream}/` */
export async function fetchRendition(base: string, name: string): Promise<DeliveredRendition> {
  const playlist = await readPlaylist(`${base}${name}.m3u8`);
  const segments: DeliveredSegment[] = [];
  let file: Uint8Array[] = [];
  for (const one of playlist.segments) {
    const init = await fetchBytes(new URL(one.init, base));
    const bytes = await fetchBytes(new URL(one.uri, base));
    if (file.length === 0) file = [init];
    file.push(bytes);
    const startTime = Number(/(\d+)\.m4s$/.exec(one.uri)?.[1]);
    const initSha256 = createHash('sha256').update(init).digest('hex');
    segments.push({ ...one, startTime, bytes, initSha256, media: readSegment(init, bytes) });
  }
  const times = segments
    .flatMap(({ media }) => media.samples.map(({ pts }) => pts))
    .toSorted((a, b) => a - b);
  return {
    name,
    playlist,
    segments,
    file: Buffer.concat(file),
    timescale: segments[0]?.media.timescale ?? 0,
    times,
  };
}

/** Names of the renditions in a main playlist, each once, in its order. */
export function renditionNames(mainPlaylist: string): readonly string[] {
  return [...new Set([...mainPlaylist.matchAll(/([a-z0-9-]+)\.m3u8/g)].flatMap((match) => match[1] ?? []))];
}

export interface MpdTimeline {
  readonly contentType: string;
  /** `[t, d]` of each segment, repeats written out. */
  readonly segments: readonly (readonly [number, number])[];
}

/** The `SegmentTimeline` of each adaptation set, in document order. */
export function mpdTimelines(mpd: string): readonly MpdTimeline[] {
  return mpd
    .split('<AdaptationSet')
    .slice(1)
    .map((set) => {
      const segments: (readonly [number, number])[] = [];
      for (const [tag] of set.matchAll(/<S [^>]*>/g)) {
        const value = (name: string): string | undefined => new RegExp(` ${name}="(\\d+)"`).exec(tag)?.[1];
        const [lastStart, lastDuration] = segments.at(-1) ?? [0, 0];
        const duration = Number(value('d'));
        const start = Number(value('t') ?? lastStart + lastDuration);
        for (let index = 0; index <= Number(value('r') ?? 0); index += 1)
          segments.push([start + index * duration, duration]);
      }
      return { contentType: /contentType="(\w+)"/.exec(set)?.[1] ?? '', segments };
    });
}
