/** Rules on files and their names. Each takes files and returns what it finds. */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

const areas = ['actors', 'cluster', 'config', 'scripts', 'test'];
const libraries = ['media', 'segment-store'];
const mostLines = 400;
const mostFolders = 4;
const mostFiles = 18;
/** `test/unit` mirrors the sources below it. */
const testFolders = 2;

/** Exactly one `*.service.ts` in each actor's folder, and none in a library beside them. */
export function checkServices(files: readonly SourceFile[]): readonly Finding[] {
  const folders = new Map<string, number>();
  for (const { path } of files) {
    const [area, folder, name] = path.split('/');
    if (area !== 'actors' || folder === undefined || name === undefined) continue;
    folders.set(folder, (folders.get(folder) ?? 0) + (path.endsWith('.service.ts') ? 1 : 0));
  }
  return [...folders].flatMap(([folder, count]) => {
    const wanted = libraries.includes(folder) ? 0 : 1;
    return count === wanted ? [] : [`actors/${folder}: ${count} files named *.service.ts, wanted ${wanted}`];
  });
}

/** Code files of at most 400 lines. */
export function checkLengths(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isCode).flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1;
    return lines <= mostLines ? [] : [`${path}: ${lines} lines, at most ${mostLines}`];
  });
}

/** At most 18 source files in a folder: where there are more, there is a room in it. */
export function checkFolders(files: readonly SourceFile[]): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const { path } of files.filter(isTypeScript)) {
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].flatMap(([folder, count]) =>
    count <= mostFiles ? [] : [`${folder}: ${count} source files, at most ${mostFiles}`],
  );
}

/** In kebab-case, the technology last, at most four folders down, under the five areas. */
export function checkNames(files: readonly SourceFile[]): readonly Finding[] {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/;
  return files.flatMap(({ path }) => {
    const parts = path.split('/');
    if (!areas.includes(parts[0] ?? '')) return [];
    const words = [...parts.slice(0, -1), ...(parts.at(-1) ?? '').split('.')];
    const isKebab = parts.at(-1) === 'README.md' || words.every((word) => kebab.test(word));
    const isShallow =
      parts.length - 1 <= mostFolders + (parts[0] === 'test' ? testFolders : 0) || isGenerated(path);
    return [
      ...(isKebab ? [] : [`${path}: names are in kebab-case`]),
      ...(isShallow ? [] : [`${path}: ${parts.length - 1} folders down, at most ${mostFolders}`]),
    ];
  });
}

/** Vague words say nothing about what a file is for. */
export function checkWords(files: readonly SourceFile[]): readonly Finding[] {
  const vague = ['impl', 'manager', 'helper', 'helpers', 'util', 'utils', 'misc', 'common'];
  return files.filter(isTypeScript).flatMap(({ path }) => {
    const word = path.split(/[/.-]/).find((part) => vague.includes(part));
    return word === undefined ? [] : [`${path}: '${word}' says nothing; name what it does`];
  });
}

/** No file that only hands on what others export. */
export function checkBarrels(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap(({ path, text }) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '').trim();
    const rest = code.replaceAll(/^export\b[^'"`;=(]*\bfrom\s*['"][^'"]+['"];?\s*/gm, '').trim();
    const isBarrel = /^export\s*\*/m.test(code) || (code !== '' && rest === '') || path.endsWith('/index.ts');
    return isBarrel ? [`${path}: a barrel file; import from where the thing is`] : [];
  });
}

/** A literal that is spread at once: the compiler lets it have properties that nobody asked for. Write them one by one. */
export function checkPacked(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter(isTypeScript)
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          /\.\.\.\{/.test(line)
            ? [`${path}:${index + 1}: an object literal is spread; write its properties`]
            : [],
        ),
    );
}

const todo = ['TO', 'DO'].join('');
const otherMarks = [
  ['FIX', 'ME'],
  ['XX', 'X'],
  ['HA', 'CK'],
]
  .map((halves) => halves.join(''))
  .join('|');

/** Only `@NOTE`, and `@` + `TO` + `DO(#issue)` with the number. */
export function checkMarks(files: readonly SourceFile[]): readonly Finding[] {
  const wrong = new RegExp(`\\b${todo}\\b|\\b(?:${otherMarks})\\b`);
  const right = new RegExp(`@${todo}\\(#\\d+\\)`, 'g');
  return files.filter(isCode).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const comment = /(?:\/\/|\/?\*|#)(.*)$/.exec(line)?.[1]?.replaceAll(right, '') ?? '';
      return wrong.test(comment) ? [`${path}:${index + 1}: marks are @NOTE and @${todo}(#issue)`] : [];
    }),
  );
}

/** The first line of a source file says what it is. */
export function checkFirstLines(files: readonly SourceFile[]): readonly Finding[] {
  const areasOfCode = /^(?:actors|cluster|config|scripts)\/|^moleculer\.config\.ts$/;
  return files
    .filter((file) => isTypeScript(file) && areasOfCode.test(file.path))
    .flatMap(({ path, text }) =>
      /^(?:#!.*\n)?\/[*/]/.test(text) ? [] : [`${path}: the first line does not say what it is`],
    );
}

function isCode({ path }: SourceFile): boolean {
  return /\.(?:ts|js|cql|css|html)$/.test(path) || /^scripts\/[a-z-]+$/.test(path);
}

/** Results of benchmarks and drills are kept in folders of their own. */
function isGenerated(path: string): boolean {
  return /\/(?:results|reports)\//.test(path);
}
