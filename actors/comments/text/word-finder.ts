/**
 * Finds words of a long list in a text.
 *
 * The words are a tree of characters, which is walked from each place where a word may begin. So a text costs its length times the length of
 * the longest word, however many words there are. An alternation of all words in one regular expression was rejected: of 5,000 words it took
 * seconds.
 */
import { gistOf, skeletonOf, type Skeleton } from './skeleton.ts';

interface Branch {
  readonly next: Map<string, Branch>;
  /** A word ends here: it must be whole, or may go on, or is found anywhere. */
  end?: 'whole' | 'beginning' | 'anywhere';
}

/** Where a word lies in a skeleton. */
export interface Found {
  readonly start: number;
  readonly end: number;
}

/** The first word from a place on, and of those that begin there the longest. */
export type FindWord = (skeleton: Skeleton, from: number) => Found | undefined;

/** @param words whole ones, or with `*` at the end also what begins so; several with blanks between are one */
export function wordFinder(words: readonly string[]): FindWord {
  const root: Branch = { next: new Map() };
  for (const word of words) plant(root, word);
  return ({ characters }, from) => {
    for (let start = from; start < characters.length; start += 1) {
      const end = longestAt(root, characters, start);
      if (end !== undefined) return { start, end };
    }
    return undefined;
  };
}

/** Scripts that write no blanks between words: there a word is found anywhere. */
const withoutBlanks =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

function plant(root: Branch, word: string): void {
  const isBeginning = word.endsWith('*');
  let branch = root;
  for (const character of gistOf(isBeginning ? word.slice(0, -1) : word)) {
    const next = branch.next.get(character) ?? { next: new Map<string, Branch>() };
    branch.next.set(character, next);
    branch = next;
  }
  if (withoutBlanks.test(word)) branch.end = 'anywhere';
  else if (isBeginning) branch.end = 'beginning';
  else branch.end ??= 'whole';
}

/** Says whether anything is left of a word to look for. */
export function isFindable(word: string): boolean {
  return (
    gistOf(word.replace(/\*$/, '')) !== '' && skeletonOf(word).characters.some((one) => letter.test(one))
  );
}

const letter = /[\p{L}\p{N}\p{S}]/u;
const ofWord = /[\p{L}\p{N}]/u;

function longestAt(root: Branch, characters: readonly string[], start: number): number | undefined {
  let branch: Branch | undefined = root;
  let longest: number | undefined;
  for (let at = start; branch !== undefined; at += 1) {
    if (branch.end !== undefined && isWordTo(branch.end, characters[start - 1], characters[at])) longest = at;
    const character = characters[at];
    branch = character === undefined ? undefined : branch.next.get(character);
  }
  return longest;
}

function isWordTo(end: Branch['end'], before: string | undefined, after: string | undefined): boolean {
  if (end === 'anywhere') return true;
  return !isOfWord(before) && (end === 'beginning' || !isOfWord(after));
}

function isOfWord(character: string | undefined): boolean {
  return character !== undefined && ofWord.test(character);
}
