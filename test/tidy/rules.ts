/**
 * Rules and references. A rule (`M7`, `C3`) is defined on one page, by a heading, and cited by its id; what a comment or a
 * page refers to exists. Each check takes files and returns what it finds.
 */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

/** A comment of ids and nothing else, on a line of its own or behind code. */
const loneId = /(?:\/\*\*?|\/\/)\s*[A-Z]\d{1,2}(?:(?:,| and|,? or)? [A-Z]\d{1,2})*[.:]?\s*(?:\*\/)?\s*$/;
const definition = /^### ([A-Z]\d{1,2})\. /gm;
const citation = /\b[MC]\d{1,2}\b/g;
/** `x.nats.ts` and `NAME.ts` stand for many. */
const placeholder = /(?:^|\/)(?:x|NAME)\./;
const fileName = /(?<![\w*./{<-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|md)\b/g;

/** A rule that code cites is defined on exactly one page, and a rule that is defined is cited. */
export function checkRules(files: readonly SourceFile[]): readonly Finding[] {
  const pages = new Map<string, string[]>();
  for (const { path, text } of files.filter(isPage))
    for (const [, id = ''] of text.matchAll(definition)) pages.set(id, [...(pages.get(id) ?? []), path]);
  const cited = new Map<string, string>();
  for (const { path, text } of files.filter((file) => !isPage(file)))
    for (const [id] of text.matchAll(citation)) if (!cited.has(id)) cited.set(id, path);
  return [
    ...[...cited].flatMap(([id, path]) => (pages.has(id) ? [] : [`${path}: ${id} is defined nowhere`])),
    ...[...pages].flatMap(([id, defined]) => [
      ...(defined.length > 1 ? [`${id} is defined twice: ${defined.join(', ')}`] : []),
      ...(cited.has(id) ? [] : [`${defined[0]}: nothing cites ${id}`]),
    ]),
  ];
}

/** A file that is named in a comment or on a page is there, under that path or the end of one. */
export function checkReferences(
  files: readonly SourceFile[],
  paths: ReadonlySet<string>,
): readonly Finding[] {
  const known = [...paths];
  const exists = (name: string): boolean => known.some((path) => path === name || path.endsWith(`/${name}`));
  return files.flatMap(({ path, text }) => {
    const prose = isPage({ path }) ? text : commentsOf(text);
    const named = [...prose.matchAll(fileName)].map(([name]) => name.replace(/^(?:\.\.?\/)+/, ''));
    return [...new Set(named)]
      .filter((name) => !placeholder.test(name) && !exists(name))
      .map((name) => `${path}: there is no ${name}`);
  });
}

/** A comment says what it means in words; an id may follow them, and never stands alone. */
export function checkLoneIds(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter(isTypeScript)
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (loneId.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

const isPage = ({ path }: Pick<SourceFile, 'path'>): boolean => path.endsWith('README.md');

function commentsOf(text: string): string {
  return [...text.matchAll(/\/\*[\s\S]*?\*\/|(?:^|\s)\/\/.*$/gm)].map(([comment]) => comment).join('\n');
}
