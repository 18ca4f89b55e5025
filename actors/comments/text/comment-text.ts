/**
 * Makes the text of a comment from what was sent: what was said stays, what only plays tricks on readers goes (A1).
 *
 * - Line breaks of every kind become `\n`, tabs become blanks, other control characters go.
 * - Overrides and embeddings of direction go (U+202A to U+202E): they show the words of others backwards. Marks and isolates stay, as people
 *   who write from right to left need them; a page isolates each comment.
 * - Characters without width that no script needs go (U+200B, U+2060 and the like). Joiners, variation selectors and tags stay: Persian,
 *   Indic scripts and emoji are made with them.
 * - Of more than eight combining marks in a row the others go: they would cover the lines around.
 * - Half a surrogate pair is refused, as broken UTF-8 is. So is a text of which nothing can be seen.
 *
 * Doing it twice changes nothing.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** In UTF-8, 500 code points are at most 2,000 bytes. */
export const textLimits = { codePoints: 500, marksInARow: 8 } as const;

/** @throws TangazaError `BAD_REQUEST` */
export function commentText(sent: string): string {
  const text = cleaned(sent);
  const codePoints = lengthOf(text);
  if (!isVisible(text)) throw refusal('Nothing of the text can be seen: write something.');
  if (codePoints > textLimits.codePoints)
    throw refusal(`The text has ${codePoints} characters: at most ${textLimits.codePoints} are taken.`);
  return text;
}

/** In code points. */
const lengthOf = (text: string): number => Array.from(text).length;

function refusal(detail: string): TangazaError {
  return new TangazaError('BAD_REQUEST', detail);
}

const lineBreaks = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
/** Control characters and noncharacters, overrides and embeddings, what has no width, and annotations between lines. */
const tricks =
  /(?!\n)\p{Cc}|\p{Noncharacter_Code_Point}|[\u202a-\u202e\u200b\ufeff\u2060-\u2064\u206a-\u206f\ufff9-\ufffb]/gu;
const piledMarks = new RegExp(`(\\p{M}{${textLimits.marksInARow}})\\p{M}+`, 'gu');

/** All of it stays but blanks at the ends, and each is one code point. */
const plain = /^[\x20-\x7e]*$/;

function cleaned(sent: string): string {
  if (plain.test(sent)) return sent.trim();
  if (!sent.isWellFormed())
    throw refusal('The text has half a character (a surrogate without its other half).');
  return sent
    .replaceAll(lineBreaks, '\n')
    .replaceAll('\t', ' ')
    .replaceAll(tricks, '')
    .normalize('NFC')
    .replaceAll(piledMarks, '$1')
    .trim();
}

/** Blanks, what is ignored when shown, fillers, and marks that stand on nothing. */
const unseen = /[\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/gu;

function isVisible(text: string): boolean {
  return text.replaceAll(unseen, '') !== '';
}
