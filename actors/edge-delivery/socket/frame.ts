/** Frames of a server: arrays of messages of which the first is the server's time. Each message becomes text once, however many get it. */
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

/** @param messages their texts */
export function frameOf(nowMs: number, messages: readonly string[]): string {
  const time: ServerMessage = { type: 'time', now: new Date(nowMs).toISOString() };
  return `[${[JSON.stringify(time), ...messages].join(',')}]`;
}
