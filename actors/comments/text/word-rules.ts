/** Words that are not wanted, as a file in config/comments/ lists them: replaced, held for a moderator, or refused (A11). */
import { z } from 'zod';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { skeletonOf, type Skeleton } from './skeleton.ts';
import { isFindable, wordFinder, type FindWord } from './word-finder.ts';

const mostWords = 5000;

const Rule = z.strictObject({
  /** `replace` writes `*` instead, `hold` shows the comment once a moderator releases it, `refuse` tells its author to change it. */
  act: z.enum(['replace', 'hold', 'refuse']),
  /** Whole words, or several with blanks between; with `*` at the end also what begins so. */
  words: z.array(z.string().trim().min(1).max(100)).max(mostWords),
});

export const WordList = z.strictObject({
  description: z.string().max(500).optional(),
  rules: z.array(Rule).max(100),
});

/** Says what becomes of a text. */
export type WordRules = (text: string) => Judgement;

export type Judgement =
  | { readonly kind: 'fine'; readonly text: string }
  | { readonly kind: 'held'; readonly text: string }
  | { readonly kind: 'refused' };

/**
 * Checks the content of a file with words.
 *
 * @param name for the message
 * @throws TangazaError `BAD_REQUEST` that lists every fault
 */
export function parseWordRules(name: string, content: unknown): WordRules {
  const parsed = WordList.safeParse(content);
  const faults = parsed.success
    ? emptyWords(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  if (!parsed.success || faults.length > 0)
    throw new TangazaError('BAD_REQUEST', `The words of ${name} cannot be used: ${faults.join('; ')}.`);
  return wordRules(parsed.data);
}

/** What nothing is left of would be found everywhere. */
function emptyWords({ rules }: z.infer<typeof WordList>): readonly string[] {
  return rules
    .flatMap(({ words }) => words)
    .filter((word) => !isFindable(word))
    .map((word) => `${JSON.stringify(word)} has no letter`);
}

function wordRules({ rules }: z.infer<typeof WordList>): WordRules {
  const finder = (act: string): FindWord =>
    wordFinder(rules.filter((rule) => rule.act === act).flatMap(({ words }) => words));
  const [replaced, held, refused] = [finder('replace'), finder('hold'), finder('refuse')];
  return (text) => {
    const skeleton = skeletonOf(text);
    if (refused(skeleton, 0) !== undefined) return { kind: 'refused' };
    const isHeld = held(skeleton, 0) !== undefined;
    return { kind: isHeld ? 'held' : 'fine', text: starred(text, skeleton, replaced) };
  };
}

function starred(text: string, skeleton: Skeleton, find: FindWord): string {
  const placeOf = (index: number): number => skeleton.from[index] ?? text.length;
  let shown = '';
  let end = 0;
  for (let found = find(skeleton, 0); found !== undefined; found = find(skeleton, found.end)) {
    shown += text.slice(end, placeOf(found.start)) + '*'.repeat(found.end - found.start);
    end = placeOf(found.end);
  }
  return shown + text.slice(end);
}
