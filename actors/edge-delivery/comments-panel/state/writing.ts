/** What may be written: 1 to 500 characters, at most 2,000 bytes, without control characters (A1). */

const mostCharacters = 500;
const mostBytes = 2000;
/** From here on the page counts. */
const countedFrom = 50;

const encoder = new TextEncoder();

export interface Written {
  /** As the server will have it. */
  readonly text: string;
  /** How many characters may still be written; negative when it is too long. */
  readonly left: number;
  readonly isEmpty: boolean;
  readonly isTooLong: boolean;
  /** Empty while there is room. */
  readonly counter: string;
}

export function writtenOf(raw: string): Written {
  const text = raw
    .toWellFormed()
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\P{Cc}\n]/gu, '')
    .normalize('NFC')
    .trim();
  const bytesLeft = Math.floor((mostBytes - encoder.encode(text).byteLength) / 4);
  const left = Math.min(mostCharacters - Array.from(text).length, bytesLeft < 0 ? bytesLeft : Infinity);
  return {
    text,
    left,
    isEmpty: text === '',
    isTooLong: left < 0,
    counter: left > countedFrom ? '' : left >= 0 ? `${left} left` : `${-left} too many`,
  };
}
