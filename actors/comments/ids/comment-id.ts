/**
 * The id of a comment: `{stream}~{26 characters}` (A2).
 *
 * The characters are 128 bits and 2 bits of padding in base32hex (RFC 4648) in lower case, whose letters sort as their values do: first the
 * 48 bits of createdAt in ms, then the first 80 bits of SHA-256 over stream, author and clientId. So the order of ids as text is the order
 * of (createdAt, id), and who sends a comment again makes the same id, wherever it lands.
 */
import { hash } from 'node:crypto';
import { CommentId, StreamId, type ClientId, type UserId } from '../../../cluster/model/ids.ts';
import { createdAtOf } from './client-id.ts';

const digits = '0123456789abcdefghijklmnopqrstuv';
const timeBytes = 6;
const hashBytes = 10;
const digitBits = 5;
const length = 26;
/** They hold the time and the first two bits of what follows. */
const timeDigits = 10;
const restOfTime = 2 ** 2;

export interface Written {
  readonly streamId: StreamId;
  readonly authorId: UserId;
  readonly clientId: ClientId;
}

export function commentIdOf({ streamId, authorId, clientId }: Written): CommentId {
  // None of the three can hold a line break, so no two triples give one text. A UUID may be written in capitals.
  const text = `${streamId}\n${authorId}\n${clientId.toLowerCase()}`;
  const bytes = Buffer.alloc(timeBytes + hashBytes);
  bytes.writeUIntBE(createdAtOf(clientId), 0, timeBytes);
  hash('sha256', text, 'buffer').copy(bytes, timeBytes);
  return CommentId.parse(`${streamId}~${encoded(bytes)}`);
}

export interface CommentPlace {
  readonly streamId: StreamId;
  readonly createdAtMs: number;
}

/** What an id tells by itself. The time lies within 48 bits, whatever the id. */
export function placeOfComment(id: CommentId): CommentPlace {
  const end = id.length - length - 1;
  const createdAtMs = Math.floor(valueOf(id.slice(end + 1, end + 1 + timeDigits)) / restOfTime);
  return { streamId: StreamId.parse(id.slice(0, end)), createdAtMs };
}

function encoded(bytes: Uint8Array): string {
  let text = '';
  let rest = 0;
  let restBits = 0;
  const add = (digit: number): void => {
    text += digits[digit] ?? '0';
  };
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    restBits += 8;
    for (; restBits >= digitBits; restBits -= digitBits) add((rest >> (restBits - digitBits)) & 31);
    rest &= (1 << restBits) - 1;
  }
  if (restBits > 0) add(rest << (digitBits - restBits));
  return text;
}

/** Of so few digits that a number holds it. */
function valueOf(text: string): number {
  let value = 0;
  for (const digit of text) value = value * 32 + digits.indexOf(digit);
  return value;
}

/** The largest time that an id can hold, in ms. */
export const lastTimeMs = 2 ** (timeBytes * 8) - 1;
