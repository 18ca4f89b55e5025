/** The files of the checkout, as the tidy rules see them: what git tracks or would track. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** From the root of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A rule broken: one sentence that begins with the path. */
export type Finding = string;

export const root = fileURLToPath(new URL('../..', import.meta.url));

const mostBytes = 1_000_000;

/** Every text file of at most 1 MB that git tracks or would track, in order of path. */
export function readTree(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = [...new Set(listed.split('\0'))].filter(
    (path) => path !== '' && existsSync(join(root, path)),
  );
  return paths
    .toSorted()
    .filter((path) => statSync(join(root, path)).isFile() && statSync(join(root, path)).size <= mostBytes)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}

export function isTypeScript({ path }: SourceFile): boolean {
  return path.endsWith('.ts') && !path.endsWith('.d.ts');
}
