/**
 * The messages of the live socket, subprotocol `tangaza.v1`, JSON. A client's frame is one message. A server's frame is an array of
 * messages, gathered over 50 to 200 ms (A8). `/asyncapi.json` is made of these schemas.
 */
import { z } from 'zod';
import { ClientId, CommentId, RegionId } from '../../model/ids.ts';
import {
  Acknowledged,
  Comment,
  CommentCounts,
  CommentMode,
  Identity,
  PostCommentBody,
} from '../api/audience-views.ts';
import { ReactBody, ReactionSums } from './reactions.ts';

export const socketProtocol = 'tangaza.v1';
export const socketPath = '/v1/streams/{id}/socket';

const InRegion = z.strictObject({ region: RegionId, knownTo: z.iso.datetime() });

export const ClientMessage = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('hello'),
      token: z.string().max(8000).optional(),
      lastId: CommentId.optional().meta({ description: 'The newest comment that the page has.' }),
      lastAt: z.iso
        .datetime()
        .optional()
        .meta({ description: 'The server time of the newest frame that the page has, or its `knownTo`.' }),
      inRegion: InRegion.optional().meta({
        description:
          'That of the newest frame, if it had one: an edge of that region goes by it, and others by `lastAt`.',
      }),
    })
    .meta({ id: 'Hello', description: 'The first message of every socket; a later one changes who it is.' }),
  PostCommentBody.extend({ type: z.literal('comment') }).meta({ id: 'CommentMessage' }),
  z.strictObject({ type: z.literal('like'), id: CommentId }).meta({ id: 'LikeMessage' }),
  z.strictObject({ type: z.literal('unlike'), id: CommentId }).meta({ id: 'UnlikeMessage' }),
  ReactBody.extend({ type: z.literal('react') }).meta({ id: 'ReactMessage' }),
  z.strictObject({ type: z.literal('ping') }).meta({ id: 'Ping' }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

const Gap = z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() });
/** How a socket's `hello` was taken up: everything since is in this frame; or some of it has to be read by HTTP; or this region lacks the place. */
const Resume = z.union([
  z.literal('complete'),
  z.strictObject({ gap: Gap }),
  z.strictObject({ behind: z.strictObject({ region: z.string() }), gap: Gap.optional() }),
]);
export type Resume = z.infer<typeof Resume>;

export const ServerMessage = z.discriminatedUnion('type', [
  z
    .object({
      type: z.literal('time'),
      now: z.iso.datetime(),
      knownTo: z.iso.datetime().optional().meta({
        description:
          'Where it is there, this edge lacks what was accepted elsewhere since then, or the page is not welcome yet and was told no more: a page that comes back says this time as its `lastAt`.',
      }),
      inRegion: InRegion.optional().meta({
        description:
          'Until when it lacks nothing of its own region, where that is later than `knownTo`: a page that comes back says this as well.',
      }),
    })
    .meta({ id: 'Time', description: 'The server time of this frame.' }),
  z
    .object({
      type: z.literal('welcome'),
      session: z.string(),
      viewers: z.number().int().nonnegative(),
      replication: z.boolean().meta({
        description:
          'True where another region keeps copies: an `ack` with `replicated` follows that with `accepted`, which is final otherwise.',
      }),
      url: z.string().meta({ description: 'The socket to come back to.' }),
      resume: Resume,
      mode: CommentMode,
      me: Identity.optional().meta({ description: 'Who the token stands for; absent without one.' }),
    })
    .meta({ id: 'Welcome' }),
  z.object({ type: z.literal('comment'), comment: Comment }).meta({ id: 'CommentAdded' }),
  z
    .object({ type: z.literal('commentUpdated'), comment: Comment })
    .meta({ id: 'CommentUpdated', description: 'Hidden, shown again, held or released.' }),
  z.object({ type: z.literal('counts'), counts: z.array(CommentCounts) }).meta({
    id: 'Counts',
    description: 'How many like these comments, and how many answers are below them.',
  }),
  z
    .object({ type: z.literal('gap'), from: z.iso.datetime(), to: z.iso.datetime() })
    .meta({ id: 'Gap', description: 'The socket was too slow: what came between is to be read by HTTP.' }),
  z.object({ type: z.literal('mode'), mode: CommentMode }).meta({ id: 'ModeChanged' }),
  z
    .object({ type: z.literal('reactions'), ...ReactionSums.shape, windowMs: z.number().int() })
    .meta({ id: 'ReactionsCounted', description: 'What came within the last `windowMs`, from everybody.' }),
  z.object({ type: z.literal('viewers'), count: z.number().int().nonnegative() }).meta({ id: 'Viewers' }),
  z
    .object({
      type: z.literal('ack'),
      clientId: ClientId,
      state: Acknowledged,
      id: CommentId,
      receipt: z.string().optional(),
    })
    .meta({
      id: 'Ack',
      description:
        'To the author of a comment alone: `accepted` with a receipt to the socket that sent it; `replicated` to each socket of the author in this stream, once another region has it.',
    }),
  z.object({ type: z.literal('liked'), id: CommentId, likedByMe: z.boolean() }).meta({
    id: 'Liked',
    description: 'To who liked a comment, or no longer does; `counts` tells everybody how many do.',
  }),
  z.object({ type: z.literal('move'), url: z.string(), withinMs: z.number().int() }).meta({ id: 'Move' }),
  z
    .object({
      type: z.literal('error'),
      to: z.enum(['comment', 'like', 'unlike', 'react']).optional().meta({
        description: 'The type of the message that it answers.',
      }),
      clientId: ClientId.optional().meta({ description: 'The comment that was sent.' }),
      id: CommentId.optional().meta({ description: 'The comment that was liked.' }),
      problem: z.looseObject({ code: z.string(), status: z.number(), title: z.string() }),
    })
    .meta({ id: 'Error', description: 'A problem document (RFC 9457), and what it is about.' }),
  z.object({ type: z.literal('pong') }).meta({ id: 'Pong' }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
