/**
 * The id of a comment: `{stream}~{26 characters}` (A2).
 *
 * The characters are 128 bits and 2 bits of padding in base32hex (RFC 4648) in lower case, whose letters sort as their values do: first the
 * 48 bits of createdAt in ms, then the first 80 bits of SHA-256 over stream, author and clientId. So the order of ids as text is the order
 * of (createdAt, id), and who sends a comment again makes the same id, wherever it lands.
 */
import { createHash } from 'node:crypto';
import { CommentId, StreamId, type ClientId, type UserId } from '../../../cluster/model/ids.ts';
import { createdAtOf } from './client-id.ts';

const digits = '0123456789abcdefghijklmnopqrstuv';
const timeBits = 48n;
const hashBytes = 10;
const hashBits = BigInt(hashBytes * 8);
const paddingBits = 2n;
const length = 26;

export interface Written {
  readonly streamId: StreamId;
  readonly authorId: UserId;
  readonly clientId: ClientId;
}

export function commentIdOf({ streamId, authorId, clientId }: Written): CommentId {
  // None of the three can hold a line break, so no two triples give one text. A UUID may be written in capitals.
  const text = `${streamId}\n${authorId}\n${clientId.toLowerCase()}`;
  const hash = createHash('sha256').update(text).digest().subarray(0, hashBytes);
  const bits = (BigInt(createdAtOf(clientId)) << hashBits) | BigInt(`0x${hash.toString('hex')}`);
  return CommentId.parse(`${streamId}~${encoded(bits << paddingBits)}`);
}

export interface CommentPlace {
  readonly streamId: StreamId;
  readonly createdAtMs: number;
}

/** What an id tells by itself. The time lies within 48 bits, whatever the id. */
export function placeOfComment(id: CommentId): CommentPlace {
  const end = id.length - length - 1;
  const createdAtMs = Number(decoded(id.slice(end + 1)) >> (hashBits + paddingBits));
  return { streamId: StreamId.parse(id.slice(0, end)), createdAtMs };
}

function encoded(bits: bigint): string {
  const at = (index: number): string => digits[Number((bits >> BigInt(index * 5)) & 31n)] ?? '0';
  return Array.from({ length }, (_, index) => at(length - 1 - index)).join('');
}

function decoded(text: string): bigint {
  let bits = 0n;
  for (const digit of text) bits = (bits << 5n) | BigInt(digits.indexOf(digit));
  return bits;
}

/** The largest time that an id can hold, in ms. */
export const lastTimeMs = Number((1n << timeBits) - 1n);
