/**
 * What is left of a text when it is compared: with words that are looked for, and with what its author said before (A11).
 *
 * It has no capitals, no accents and nothing that cannot be seen, has compatible forms (NFKD: full width, circled and styled letters are
 * letters), and one blank where there are some. So a word is found however it is decorated. Letters of other scripts that look alike are not
 * folded: too many honest words would be found.
 */
export interface Skeleton {
  readonly characters: readonly string[];
  /** Where in the whole text each character comes from, and where the whole text ends. */
  readonly from: readonly number[];
}

export function skeletonOf(whole: string): Skeleton {
  const characters: string[] = [];
  const from: number[] = [];
  let at = 0;
  for (const character of whole) {
    for (const kept of folded(character)) {
      if (kept === ' ' && characters.at(-1) === ' ') continue;
      characters.push(kept);
      from.push(at);
    }
    at += character.length;
  }
  return { characters, from: [...from, at] };
}

/** Accents that any letter may bear; the vowel signs of other scripts are letters of their words. */
const accents =
  /[\u{300}-\u{36f}]|[\u{1ab0}-\u{1aff}]|[\u{1dc0}-\u{1dff}]|[\u{20d0}-\u{20ff}]|[\u{fe20}-\u{fe2f}]/gu;
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** What was folded before; of the scripts of most comments, as far as their letters have short code points. */
const known: (string | undefined)[] = [];
const mostKnown = 0x10_00;

function folded(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint >= mostKnown) return fold(character);
  return (known[codePoint] ??= fold(character));
}

/** By way of capitals, the two small sigmas are one. */
function fold(character: string): string {
  const plain = character.normalize('NFKD').replaceAll(accents, '').replaceAll(unseen, '');
  return plain.toUpperCase().toLowerCase().replaceAll(/\s/g, ' ');
}

/** Two texts that say the same have the same. */
export function gistOf(text: string): string {
  return skeletonOf(text).characters.join('').trim();
}
