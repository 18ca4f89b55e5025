/**
 * Rules, local ids and references. Each check takes files and returns what it finds.
 *
 * A rule (`M7`, `C3`) is defined on one page, by a heading, and cited by its id. An invariant of one file has a local id
 * (` * K1. Sentence.` in a comment), unique in its room, and is cited from another file with its file's name. A file that a
 * comment or a page names exists, and so does a folder in a code span.
 */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

/** A comment of ids and nothing else, on a line of its own or behind code. */
const loneId = /(?:\/\*\*?|\/\/)\s*[A-Z]\d{1,2}(?:(?:,| and|,? or)? [A-Z]\d{1,2})*[.:]?\s*(?:\*\/)?\s*$/;
const definition = /^### ([A-Z]\d{1,2})\. /gm;
/** Media, cluster, region and audience rules: no local id has their shape. */
const citation = /\b[MCRA]\d{1,2}\b/g;
const ruleShape = /^[MCRA]\d/;
const localDefinition = /^[ \t]*\* ([A-Z]\d{1,2})[.:]? +(?=\S)/gm;
const commentText = /\/\*[\s\S]*?\*\/|(?:^|(?<=\s))\/\/.*$/gm;
const idList = '[A-Z]\\d{1,2}(?:(?:, | and )[A-Z]\\d{1,2})*';
/** `sessions.ts S6`, and `stream-actor.ts N5, N6`. */
const citationOfFile = new RegExp(`([\\w-]+(?:\\.[\\w-]+)*\\.ts),? (${idList})(?!\\w)`, 'g');
/** Ids alone in brackets, such as `(S6)` and `(S6, C2)`. */
const bracketed = new RegExp(`\\((${idList})(?=, [\\w-]+\\.ts|\\))`, 'g');
/** A comment whose first word is an id: the sentence comes first. */
const idFirst = /(?:\/\*\*?|\/\/) [A-Z]\d{1,2}(?:(?:, | and )[A-Z]\d{1,2})*[.:,] /g;
/** Words that look like an id: the storage protocol. */
const words: ReadonlySet<string> = new Set(['S3']);
/** `x.nats.ts` and `NAME.ts` stand for many. */
const placeholder = /(?:^|\/)(?:x|NAME)\./;
const fileName = /(?<![\w*./{<-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|md)\b/g;

/** A path in a code span that names no file by its extension: `actors/media/`, `cluster/log`. */
const folderName = /`((?:[\w-]+\/)+[\w-]*)`/g;
/** What git ignores is not in the tree. */
const isIgnored = (name: string): boolean => name.startsWith('node_modules/');

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

/** The folder in which a local id means one thing: an actor's, a library's, or one of the cluster's. */
const roomOf = (path: string): string => path.split('/').slice(0, -1).slice(0, 2).join('/');

interface LocalId {
  readonly id: string;
  readonly path: string;
  /** Whether the file cites it outside of the comment that defines it. */
  readonly isKept: boolean;
}

function localIdsOf({ path, text }: SourceFile): readonly LocalId[] {
  const comments = [...text.matchAll(commentText)].map(([comment]) => comment);
  return comments.flatMap((comment) =>
    [...comment.matchAll(localDefinition)].map(([, id = '']) => ({
      id,
      path,
      isKept: new RegExp(`\\b${id}\\b`).test(text.replace(comment, '')),
    })),
  );
}

/** An invariant has an id only if something cites it, one id has one meaning in a room, and a citation has a definition. */
export function checkLocalIds(files: readonly SourceFile[]): readonly Finding[] {
  const sources = files.filter(isTypeScript);
  const defined = sources.filter(({ path }) => !path.startsWith('test/')).flatMap(localIdsOf);
  const citations = sources.flatMap(({ path, text }) =>
    [...commentsOf(text).matchAll(citationOfFile)].flatMap(([, name = '', ids = '']) =>
      ids.split(/, | and /).map((id) => ({ path, name, id })),
    ),
  );
  const isDefined = (name: string, id: string): boolean =>
    defined.some((one) => one.id === id && one.path.split('/').at(-1) === name);
  return [
    ...defined.flatMap(({ id, path, isKept }) => [
      ...(ruleShape.test(id) ? [`${path}: ${id} has the shape of a rule; choose another letter`] : []),
      ...(isKept || citations.some((one) => one.id === id && one.name === path.split('/').at(-1))
        ? []
        : [`${path}: nothing cites ${id}; leave the number out`]),
    ]),
    ...twiceDefined(defined),
    ...citations
      .filter(({ name, id }) => !ruleShape.test(id) && !isDefined(name, id))
      .map(({ path, name, id }) => `${path}: ${name} defines no ${id}`),
    ...sources.filter(({ path }) => !path.startsWith('test/')).flatMap(bareCitations),
  ];
}

function twiceDefined(defined: readonly LocalId[]): readonly Finding[] {
  const first = new Map<string, string>();
  return defined.flatMap(({ id, path }) => {
    const key = `${roomOf(path)} ${id}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, path);
    return other === undefined ? [] : [`${path}: ${id} is defined in ${other}, too`];
  });
}

/** Ids in brackets that neither this file nor a page defines: they lack the name of their file. */
function bareCitations(file: SourceFile): readonly Finding[] {
  const own = new Set(localIdsOf(file).map(({ id }) => id));
  const ids = [...commentsOf(file.text).matchAll(bracketed)].flatMap(([, list = '']) =>
    list.split(/, | and /),
  );
  return [...new Set(ids)]
    .filter((id) => !own.has(id) && !ruleShape.test(id) && !words.has(id))
    .map((id) => `${file.path}: ${id} is not defined in this file; cite it as \`file.ts ${id}\``);
}

/** A file or a folder that is named in a comment or on a page is there, under that path or the end of one. */
export function checkReferences(
  files: readonly SourceFile[],
  paths: ReadonlySet<string>,
): readonly Finding[] {
  const known = [...paths, ...foldersOf(paths)];
  const exists = (name: string): boolean => known.some((path) => path === name || path.endsWith(`/${name}`));
  const areas = new Set(known.map((path) => path.split('/')[0]));
  // A path of one name is a folder on a page only: in code, `x/` may be the beginning of a key or a header. Without a slash
  // at its end a path is ours if it begins at the root.
  const isFolder = (name: string, onPage: boolean): boolean =>
    name.endsWith('/') ? onPage || /\/./.test(name) : areas.has(name.split('/')[0]);
  return files.flatMap(({ path, text }) => {
    const prose = isPage({ path }) ? text : commentsOf(text);
    const named = [...prose.matchAll(fileName)].map(([name]) => name.replace(/^(?:\.\.?\/)+/, ''));
    const folders = [...prose.matchAll(folderName)]
      .map(([, name = '']) => name)
      .filter((name) => isFolder(name, isPage({ path })) && !isIgnored(name))
      .map((name) => name.replace(/\/$/, ''));
    return [...new Set([...named, ...folders])]
      .filter((name) => !placeholder.test(name) && !exists(name))
      .map((name) => `${path}: there is no ${name}`);
  });
}

function foldersOf(paths: ReadonlySet<string>): ReadonlySet<string> {
  const parents = [...paths].flatMap((path) => {
    const names = path.split('/').slice(0, -1);
    return names.map((_, index) => names.slice(0, index + 1).join('/'));
  });
  return new Set(parents);
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

/** The sentence comes first, and its id behind it in brackets. */
export function checkIdsLast(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter(isTypeScript)
    .flatMap(({ path, text }) =>
      [...commentsOf(text).matchAll(idFirst)].map(
        ([found]) => `${path}: \`${found.trim()}\` begins with an id`,
      ),
    );
}

const isPage = ({ path }: Pick<SourceFile, 'path'>): boolean => path.endsWith('README.md');

function commentsOf(text: string): string {
  return [...text.matchAll(commentText)].map(([comment]) => comment).join('\n');
}
