/** Loads the files that an edge serves as pages and assets into memory, once, at the start. */
import { readFile } from 'node:fs/promises';
import { contentTypeOf, type StaticFile } from './static-files.ts';

export interface StaticSource {
  /** Under which it is served (`StaticFile.path`). */
  readonly path: string;
  readonly file: string | URL;
  readonly isImmutable?: boolean;
  /** Makes of the file's text what is served, e.g. JavaScript of TypeScript. */
  readonly transform?: (text: string) => string;
}

/** @throws Error that names the first file that cannot be read */
export function loadStaticFiles(sources: readonly StaticSource[]): Promise<readonly StaticFile[]> {
  return Promise.all(
    sources.map(async ({ path, file, isImmutable, transform }) => {
      const bytes = await readFile(file);
      const body =
        transform === undefined ? bytes : new TextEncoder().encode(transform(bytes.toString('utf8')));
      const name = /\.[a-z0-9]+$/.test(path) ? path : String(file);
      return {
        path,
        contentType: contentTypeOf(name.replace(/\.ts$/, '.js')),
        body,
        ...(isImmutable === true ? { isImmutable } : {}),
      };
    }),
  );
}
