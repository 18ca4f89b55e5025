/** The port of the events between nodes, and what one of them says (A7). They are hints: one that is lost, doubled or late does no harm. */
import { z } from 'zod';
import { CommentCounts, CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import { allStreams } from '../../../cluster/contract/api/moderation-views.ts';
import {
  BootId,
  ClientId,
  CommentId,
  NodeId,
  RegionId,
  StreamId,
  UserId,
} from '../../../cluster/model/ids.ts';
import { streamOf, type Change } from './change.ts';
import type { Head, Numbered, Sender } from './numbers.ts';

/** What this node writes. It reads the same or less. Version 1 had no `replicated`, no `erased` and no `readToMs`. */
export const eventVersion = 2;

const timeMs = z.number().nonnegative();
const Hiding = z.object({
  by: z.union([UserId, z.literal('operator')]),
  atMs: timeMs,
  reason: z.string().optional(),
});

const Row = z.object({
  id: CommentId,
  streamId: StreamId,
  author: z.object({ id: UserId, name: z.string(), isStaff: z.boolean().optional() }),
  clientId: ClientId,
  text: z.string(),
  createdAtMs: timeMs,
  mediaTime: z.number().optional(),
  parentId: CommentId.optional(),
  rootId: CommentId.optional(),
  path: z.array(CommentId).max(8),
  region: RegionId,
  arrivedAtMs: timeMs,
  changedAtMs: timeMs,
  hidden: Hiding.optional(),
  moderatedAtMs: timeMs.optional(),
  isHeld: z.boolean(),
  isErased: z.boolean().optional(),
});

const WrittenChange = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('added'), comment: Row }),
  z.object({ kind: z.literal('changed'), comment: Row }),
  z.object({
    kind: z.literal('hiding'),
    streamId: StreamId,
    id: CommentId,
    hiding: Hiding.optional(),
    atMs: timeMs,
  }),
  z.object({ kind: z.literal('mode'), streamId: StreamId, mode: CommentMode }),
  z.object({ kind: z.literal('counts'), streamId: StreamId, counts: z.array(CommentCounts) }),
  z.object({
    kind: z.literal('replicated'),
    streamId: StreamId,
    comments: z.array(z.object({ id: CommentId, clientId: ClientId, authorId: UserId })),
  }),
  z.object({ kind: z.literal('ban'), streamId: StreamId }),
  z.object({ kind: z.literal('unsure'), streamId: StreamId }),
  z.object({ kind: z.literal('erased'), streamId: z.literal(allStreams), userId: UserId, atMs: timeMs }),
]);

const sender = { version: z.number().int().min(1).max(eventVersion), node: NodeId, bootId: BootId };

const head = { number: z.number().int(), firstAtMs: timeMs };

const AudienceEvent = z.union([
  z.object({ ...sender, ...head, previous: z.number().int(), change: WrittenChange }),
  z.object({ ...sender, ...head, isHead: z.literal(true) }),
  z.object({ ...sender, ...head, readToMs: timeMs }),
]);

/** What a node tells the others of its region: a change with its number, the head of a stream, or up to when it has read the store. */
export type AudienceEvent =
  | (Sender & Numbered & { readonly change: Change })
  | (Sender & Head & { readonly isHead: true })
  | (Sender & Head & { readonly readToMs: number });

export type ReadEvent =
  | { readonly kind: 'event'; readonly event: AudienceEvent }
  /** Written by a node that is newer than this one: what it says is in the store. */
  | { readonly kind: 'newer' }
  | { readonly kind: 'bad' };

/** The version and the sender stand first, so that a node knows its own events without reading them. */
export function eventText({ node, bootId, ...said }: AudienceEvent): string {
  return JSON.stringify({ version: eventVersion, node, bootId, ...said });
}

/** What the text of each event of this sender begins with. */
export const beginningOf = ({ node, bootId }: Sender): string =>
  JSON.stringify({ version: eventVersion, node, bootId }).slice(0, -1);

const AnyVersion = z.looseObject({ version: z.number().int() });

/** Reads an event. @param stream the stream that it came for: an event about another one is bad */
export function readEvent(text: string, stream: StreamId): ReadEvent {
  const read = parsed(text);
  const any = AnyVersion.safeParse(read);
  if (!any.success) return { kind: 'bad' };
  if (any.data.version > eventVersion) return { kind: 'newer' };
  const event = AudienceEvent.safeParse(read);
  if (!event.success || ('change' in event.data && streamOf(event.data.change) !== stream))
    return { kind: 'bad' };
  const { version: _, ...said } = event.data;
  return { kind: 'event', event: said };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface EventListener {
  hear(event: ReadEvent): void;
}

export interface AudienceEvents {
  /** Publishes an event of that stream. @returns false where NATS is away: the event is not sent later either */
  publish(stream: StreamId, event: AudienceEvent): boolean;
  /**
   * Listens to a stream. `isListening` resolves when the server knows of it, to false where that is not sure: what is published after that is
   * heard, or its loss is noticed. @returns also a function that ends it
   */
  listen(
    stream: StreamId,
    listener: EventListener,
  ): { readonly isListening: Promise<boolean>; readonly stop: () => void };
  /** For how many ms NATS has been away; 0 while it is there. */
  downMs(): number;
  /** Calls the listener each time that NATS is back. @returns a function that ends it */
  onBack(listener: () => void): () => void;
}
