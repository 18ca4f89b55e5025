/** Viewers without a screen. Each one requests the playlist of one rendition, its audio, and every new segment, as a player does. */
import { setTimeout as delay } from 'node:timers/promises';

export interface ViewingResult {
  readonly segments: number;
  readonly bytes: number;
  /** Segments that a playlist declares missing, which a player does not ask for. */
  readonly gaps: number;
  /** Replies with another status than 200, and requests without a reply. */
  readonly faults: number;
}

const segmentSeconds = 2;
const pollMs = 2000;
const replyMs = 10_000;
/** A player begins this many segments before the end. */
const firstSegments = 3;

/** Watches until `signal` aborts. Viewer i takes rendition i of the main playlist, in rotation. */
export async function watch(main: string, viewers: number, signal: AbortSignal): Promise<ViewingResult> {
  const { video, audio } = readMain(await (await fetch(main)).text(), main);
  if (video.length === 0) throw new Error(`${main} lists no rendition`);
  const tally = new Tally();
  const watchers = Array.from({ length: viewers }, async (_, index) => {
    const own = [video[index % video.length] ?? '', ...(audio === undefined ? [] : [audio])];
    await delay((index * pollMs) / viewers, undefined, { signal }).catch(() => {});
    await Promise.all(own.map((playlist) => follow(playlist, tally, signal)));
  });
  await Promise.all(watchers);
  return tally;
}

/**
 * Checks that the viewers were served, as figures under viewers mean nothing otherwise. Each requests a video and an audio segment every 2
 * s. Half of that is demanded, as the first seconds are needed for starting, and the last segment may be on its way.
 * @throws Error when most segments were gaps, or too few came: the machine cannot transcode this stream
 */
export function mustBeWatched(
  { segments, gaps }: ViewingResult,
  { viewers, seconds }: { readonly viewers: number; readonly seconds: number },
): void {
  if (gaps >= segments)
    throw new Error(`${gaps} of ${gaps + segments} segments were gaps: the stream was hardly there`);
  const expected = (viewers * 2 * seconds) / segmentSeconds;
  if (segments < expected / 2)
    throw new Error(`the viewers got ${segments} segments of some ${expected}: the stream was hardly there`);
}

class Tally implements ViewingResult {
  segments = 0;
  gaps = 0;
  bytes = 0;
  faults = 0;
}

async function follow(playlist: string, tally: Tally, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    const text = new TextDecoder().decode(await pull(playlist, tally, signal));
    const { init, segments } = readMedia(text, playlist);
    const news =
      seen.size === 0 ? segments.slice(-firstSegments) : segments.filter(({ url }) => !seen.has(url));
    if (seen.size === 0) tally.bytes += (await pull(init, tally, signal)).byteLength;
    for (const { url, isGap } of news) {
      if (isGap) tally.gaps += 1;
      else {
        tally.bytes += (await pull(url, tally, signal)).byteLength;
        tally.segments += 1;
      }
    }
    for (const { url } of segments) seen.add(url);
    await delay(pollMs, undefined, { signal }).catch(() => {});
  }
}

async function pull(url: string, tally: Tally, signal: AbortSignal): Promise<ArrayBuffer> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(replyMs)]) });
    const body = await reply.arrayBuffer();
    if (reply.ok) return body;
    tally.faults += 1;
  } catch {
    if (!signal.aborted) tally.faults += 1;
  }
  return new ArrayBuffer(0);
}

function readMain(text: string, base: string) {
  const audio = /#EXT-X-MEDIA:[^\n]*TYPE=AUDIO[^\n]*URI="([^"]+)"/.exec(text)?.[1];
  return { video: urisOf(text, base), audio: audio === undefined ? undefined : new URL(audio, base).href };
}

function readMedia(text: string, base: string) {
  const map = /.*#EXT-X-MAP:URI="([^"]+)"/s.exec(text)?.[1] ?? '';
  const segments: { readonly url: string; readonly isGap: boolean }[] = [];
  let isGap = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-GAP')) isGap = true;
    if (line === '' || line.startsWith('#')) continue;
    segments.push({ url: new URL(line, base).href, isGap });
    isGap = false;
  }
  return { init: new URL(map, base).href, segments };
}

const urisOf = (text: string, base: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new URL(line, base).href);
