/** Finds when the timeline of a stream begins. HLS tells dates only; the MPD of the same stream tells what they count from. */
import { timelineZeroMs } from './engine.browser.ts';

const timeoutMs = 5000;

/** @param playlistUrl `…/live/{id}/main.m3u8`. @returns UTC ms; undefined when it cannot be found */
export async function findTimelineZero(playlistUrl: string): Promise<number | undefined> {
  try {
    const reply = await fetch(new URL('manifest.mpd', playlistUrl), {
      signal: AbortSignal.timeout(timeoutMs),
    });
    return reply.ok ? timelineZeroMs(await reply.text()) : undefined;
  } catch {
    return undefined;
  }
}
