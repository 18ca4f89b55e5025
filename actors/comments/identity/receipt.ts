/**
 * What a receipt says of an accepted comment: all of its row but the text, of which it has a hash (A6). So any region writes the same row
 * from a receipt and from what its author sends again, without the parent and without the author's name of that day.
 */
import { hash as digestOf } from 'node:crypto';
import { z } from 'zod';
import { CommentId, RegionId } from '../../../cluster/model/ids.ts';
import type { CommentBody } from '../store/comment-store.ts';
import type { Accepted, Resent } from './identity.ts';

export const receiptHours = 24;
/** More levels than these have no thread (A3). */
const mostLevels = 16;

/** Its stream is in the hash, so only the rest of an id is kept. */
const tail = z.string().regex(/^[0-9a-v]{26}$/);
const Facts = z.strictObject({
  /** Of what the author sent. */
  hash: z.string(),
  id: tail,
  at: z.number().int().nonnegative(),
  name: z.string(),
  staff: z.literal(1).optional(),
  region: RegionId,
  path: z.array(tail).max(mostLevels).optional(),
  root: tail.optional(),
  held: z.literal(1).optional(),
  /** Seconds since 1970. */
  exp: z.number().int(),
});

export function receiptTextOf({ body, isHeld }: Accepted, nowMs: number): string {
  const { author, path, rootId } = body;
  return JSON.stringify({
    hash: hashOf({ ...body, authorId: author.id }),
    id: tailOf(body.id),
    at: body.createdAtMs,
    name: author.name,
    ...(author.isStaff === true ? { staff: 1 } : {}),
    region: body.region,
    ...(path.length === 0 ? {} : { path: path.map(tailOf) }),
    ...(rootId === undefined ? {} : { root: tailOf(rootId) }),
    ...(isHeld ? { held: 1 } : {}),
    exp: Math.floor(nowMs / 1000) + receiptHours * 3600,
  });
}

/** @param text of a receipt whose signature is good @returns undefined for a receipt that is too old, or for another comment */
export function acceptedOf(text: string, resent: Resent, nowMs: number): Accepted | undefined {
  const facts = Facts.safeParse(jsonOf(text));
  if (!facts.success) return undefined;
  const { hash, id, at, name, staff, region, path, root, held, exp } = facts.data;
  if (hash !== hashOf(resent) || nowMs >= exp * 1000) return undefined;
  const { streamId, authorId, clientId, text: said, parentId, mediaTime } = resent;
  const whole = (end: string): CommentId => CommentId.parse(`${streamId}~${end}`);
  const body: CommentBody = {
    id: whole(id),
    streamId,
    author: { id: authorId, name, ...(staff === undefined ? {} : { isStaff: true }) },
    clientId,
    text: said,
    createdAtMs: at,
    ...(mediaTime === undefined ? {} : { mediaTime }),
    ...(parentId === undefined ? {} : { parentId }),
    ...(root === undefined ? {} : { rootId: whole(root) }),
    path: (path ?? []).map(whole),
    region,
  };
  return { body, isHeld: held === 1 };
}

/** A list in JSON has one reading, so two comments with one hash would be a collision of SHA-256. */
function hashOf({ streamId, authorId, clientId, text, parentId, mediaTime }: Resent): string {
  const all = [streamId, authorId, clientId.toLowerCase(), text, parentId ?? null, mediaTime ?? null];
  return digestOf('sha256', JSON.stringify(all), 'base64url');
}

const tailOf = (id: CommentId): string => id.slice(id.indexOf('~') + 1);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
