/** Branded identifiers. Only the parsers here make them, so no id can be passed where another kind is expected. */
import { z } from 'zod';
import { mustBe } from '../errors/input-sentences.ts';

/** Lower-case letters, digits, `-` and `_`: safe in a path, a NATS subject, a KV key and a file name. */
const idPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const idWords = mustBe('1 to 64 lower-case letters, digits, - and _, the first one a letter or a digit');

export const StreamId = z.string().regex(idPattern, idWords).brand<'StreamId'>();
export type StreamId = z.infer<typeof StreamId>;

export const NodeId = z.string().regex(idPattern, idWords).brand<'NodeId'>();
export type NodeId = z.infer<typeof NodeId>;

export const RegionId = z.string().regex(idPattern, idWords).brand<'RegionId'>();
export type RegionId = z.infer<typeof RegionId>;

/** Names one life of a node's process. */
export const BootId = z.string().regex(idPattern, idWords).brand<'BootId'>();
export type BootId = z.infer<typeof BootId>;

/** Names one connection of a publisher. */
export const SessionId = z.string().regex(idPattern, idWords).brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

/** The fencing token of an ownership, which only grows (C5). */
export const Epoch = z.number().int().nonnegative().brand<'Epoch'>();
export type Epoch = z.infer<typeof Epoch>;

/** The sequence number of the period's `clock` record in the log, or a higher one in a log that went back (M1, C7). */
export const PeriodId = z.number().int().positive().brand<'PeriodId'>();
export type PeriodId = z.infer<typeof PeriodId>;

/** Like `h264-720p` for video and `aac-128k` for audio; `source` for a contribution that viewers do not get. */
export const RenditionName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, mustBe('a name like h264-720p or aac-128k'))
  .max(32)
  .brand<'RenditionName'>();
export type RenditionName = z.infer<typeof RenditionName>;

/** A SHA-256 in 64 lower-case hex digits. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Sha256'>();
export type Sha256 = z.infer<typeof Sha256>;

/** A guest, `g-…`, or an account of the operator's, `a-…`: safe in a path and in a subject. */
export const UserId = z
  .string()
  .regex(
    /^[ag]-[A-Za-z0-9_-]{1,64}$/,
    mustBe('an id of a user: g- or a-, then 1 to 64 letters, digits, - and _'),
  )
  .brand<'UserId'>();
export type UserId = z.infer<typeof UserId>;

/** `{stream}~{26 characters}`: the time of its writing, then who wrote what; in the order of time as text (A2). */
export const CommentId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}~[0-9a-v]{26}$/, mustBe('an id of a comment'))
  .brand<'CommentId'>();
export type CommentId = z.infer<typeof CommentId>;

/** Made by who writes a comment, when it was written: its first 48 bits are that time (A2, RFC 9562). */
export const ClientId = z.uuidv7(mustBe('a UUID of version 7')).brand<'ClientId'>();
export type ClientId = z.infer<typeof ClientId>;
