/** Frames of a server: arrays of messages of which the first is the server's time. Each message becomes text once, however many get it. */
import type { Known } from '../../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';

/** A comment is in the answers to thousands of pages that come, and is the same object in all of them. */
const texts = new WeakMap<ServerMessage, string>();

/** Messages are never changed after they were told. */
export function textOf(message: ServerMessage): string {
  const known = texts.get(message);
  if (known !== undefined) return known;
  const text = JSON.stringify(message);
  texts.set(message, text);
  return text;
}

/** A page that comes back gets what is that much older in any case. */
const untoldMs = 2000;

/** @param messages their texts @param known until when the page has been told everything */
export function frameOf(nowMs: number, messages: readonly string[], known: Known = { toMs: nowMs }): string {
  const time: ServerMessage = {
    type: 'time',
    now: isoOf(nowMs),
    ...(nowMs - known.toMs > untoldMs ? toldOf(known) : {}),
  };
  return `[${[JSON.stringify(time), ...messages].join(',')}]`;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

function toldOf({ toMs, inRegion }: Known) {
  const knownTo = isoOf(toMs);
  if (inRegion === undefined) return { knownTo };
  return { knownTo, inRegion: { region: inRegion.region, knownTo: isoOf(inRegion.toMs) } };
}
