/**
 * Cleans the names of users. A name is one line of 1 to 40 visible characters, and looks like nothing else: signs that turn the direction of
 * writing, that take no room, or that pile up are left out (UAX #9, UTS #39).
 *
 * Staff is marked by `isStaff`, which only permissions give. That guests cannot be called "Moderator" only spares people a doubt.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

export const mostNameCharacters = 40;

/** Scripts whose letters join, where these two signs change how a word is written. */
const joining =
  'Arabic Syriac Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala'
    .split(' ')
    .map((script) => `\\p{Script=${script}}`)
    .join('');
const strayJoiner = new RegExp(`[\\u200c\\u200d](?![${joining}])|(?<![${joining}])[\\u200c\\u200d]`, 'gu');
/** Controls, formats but the joiners, lone surrogates, private use, what takes no room, and Braille without dots. */
const unseen = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** No writing piles more marks than these on a letter. */
const pile = /(\p{M}{4})\p{M}+/gu;

/**
 * The name as others see it.
 *
 * @throws TangazaError `TEXT_REFUSED` when nothing remains that can be seen, and when it is too long
 */
export function cleanName(given: string): string {
  const name = given
    .normalize('NFC')
    .replace(/[\p{Z}\t\n\v\f\r\u0085]+/gu, ' ')
    .replace(unseen, '')
    .replace(strayJoiner, '')
    .replace(pile, '$1')
    .replace(/ +/g, ' ')
    .trim();
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(name))
    throw new TangazaError('TEXT_REFUSED', 'Nothing of that name can be seen: choose another one.');
  if (Array.from(name).length > mostNameCharacters)
    throw new TangazaError(
      'TEXT_REFUSED',
      `The name is longer than ${mostNameCharacters} characters: choose a shorter one.`,
    );
  return name;
}

/** Names of those who run a site, as `folded` writes them. */
const official =
  /^(?:the)?(?:tangaza|operator|admin|administrator|mod|moderator|staff|support|system|team|owner|official)s?(?:team|staff|support|official)?$/;

/**
 * A guest's name: one that does not say that they run the site. Half a surrogate pair is refused, as it is in a comment's text.
 *
 * @throws TangazaError `TEXT_REFUSED`, `BAD_REQUEST`
 */
export function cleanGuestName(given: string): string {
  if (!given.isWellFormed())
    throw new TangazaError(
      'BAD_REQUEST',
      'The name has half a character (a surrogate without its other half).',
    );
  const name = cleanName(given);
  if (official.test(folded(name)))
    throw new TangazaError(
      'TEXT_REFUSED',
      'That name is kept for those who run this site: choose another one.',
    );
  return name;
}

/** Letters and digits that look like others, after case, width, marks and signs are gone. */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: 'аαɑ4@',
    b: 'в8',
    c: 'сϲ',
    d: 'ԁ',
    e: 'еεєё3',
    g: 'ԍɡ9',
    i: 'іıι1|!',
    l: 'ӏ',
    m: 'мϻ',
    n: 'пη',
    o: 'оοσ0',
    p: 'рρ',
    r: 'г',
    s: 'ѕ5$',
    t: 'тτ7',
    u: 'υս',
    w: 'ԝѡ',
    x: 'хχ',
    y: 'уγ',
    z: 'ᴢ',
  }).flatMap(([letter, others]) => Array.from(others, (other): [string, string] => [other, letter])),
);

/** How a name reads at a glance. */
function folded(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return Array.from(plain, (sign) => lookAlikes.get(sign) ?? sign)
    .filter((sign) => /[\p{L}\p{N}]/u.test(sign))
    .join('');
}
