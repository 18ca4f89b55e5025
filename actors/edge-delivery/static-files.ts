/** Pages and assets from memory: a fixed map of paths, so that no path of a request ever reaches a disk. */
import { makeEntity } from './entity.ts';
import type { Entity } from './http.ts';

export interface StaticFile {
  /** As requested, e.g. `/assets/hls.mjs`; one `{id}` stands for a whole segment, e.g. `/watch/{id}`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** May be kept for ever by whoever got it: its name changes with its content. */
  readonly isImmutable?: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
};

/** @returns `application/octet-stream` for an ending that is not known */
export function contentTypeOf(fileName: string): string {
  return contentTypes[fileName.slice(fileName.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}

/** Looks a path up; its query plays no part. */
export function serveStatic(files: readonly StaticFile[]): (path: string) => Entity | undefined {
  const exact = new Map<string, Entity>();
  const inFolder = new Map<string, Entity>();
  for (const file of files) {
    const entity = makeEntity(file.body, {
      contentType: file.contentType,
      cacheControl: file.isImmutable === true ? 'public, max-age=31536000, immutable' : 'no-cache',
      isText: /^(?:text\/|application\/json|image\/svg)/.test(file.contentType),
    });
    if (file.path.endsWith('/{id}')) inFolder.set(file.path.slice(0, -4), entity);
    else exact.set(file.path, entity);
  }
  return (path) => {
    const found = exact.get(path);
    if (found !== undefined) return found;
    const cut = path.lastIndexOf('/') + 1;
    return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(path.slice(cut)) ? inFolder.get(path.slice(0, cut)) : undefined;
  };
}
