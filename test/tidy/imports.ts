/** Reads imports from source text. A line-wise pattern is enough, since the formatter fixes how an import looks. */
import { posix } from 'node:path';
import type { SourceFile } from './tree.ts';

const patterns = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm, // import x from 'y', export x from 'y'
  /^\s*import\s*['"]([^'"]+)['"]/gm, // import 'y'
  /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g, // import('y')
];

/** What a file imports, as written. */
export function specifiersOf({ text }: SourceFile): readonly string[] {
  const found = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
  return [...new Set(found)].toSorted();
}

/** The path a relative import leads to, from the root of the checkout; undefined for a library. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** The package of a library import: `@scope/name/deep` is `@scope/name`, `node:fs/promises` is `node:fs`. */
export function packageOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/**
 * Import cycles, by depth-first search over the files given. Imports of types count: a cycle of types binds two files
 * as firmly as one of values.
 *
 * @returns each cycle once, as the paths along it, the first repeated at the end
 */
export function cyclesOf(files: readonly SourceFile[]): readonly (readonly string[])[] {
  const graph = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || finished.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

function targetsOf(file: SourceFile): readonly string[] {
  return specifiersOf(file).flatMap((specifier) => resolveImport(file.path, specifier) ?? []);
}
