/** The site of an edge: its pages as templates, and the assets that they load. `build-site.rolldown.ts` makes it once. */
import { z } from 'zod';

export const pageNames = ['index', 'ops', 'watch', 'embed', 'docs', 'error'] as const;
export type PageName = (typeof pageNames)[number];

const bytes = z.instanceof(Uint8Array);

/** Its name changes with its content, so it may be kept for ever. */
export const Asset = z.object({
  /** `/assets/watch-BEqg9JKs.js` */
  path: z.string(),
  contentType: z.string(),
  body: bytes,
  /** Compressed as far as possible, as that is done only once. */
  gzip: bytes,
  brotli: bytes,
});
export type Asset = z.infer<typeof Asset>;

export const Site = z.object({
  assets: z.array(Asset),
  /** HTML with slots (page-template.ts). */
  pages: z.object({
    index: z.string(),
    ops: z.string(),
    watch: z.string(),
    embed: z.string(),
    docs: z.string(),
    error: z.string(),
  }),
  /** What the player of a format loads first, beside the page's own script. */
  engines: z.object({ dash: z.array(z.string()), hls: z.array(z.string()) }),
});
export type Site = z.infer<typeof Site>;

const contentTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** @throws Error for a file name extension that no asset has */
export function contentTypeOf(fileName: string): string {
  const type = contentTypes[fileName.slice(fileName.lastIndexOf('.') + 1)];
  if (type === undefined) throw new Error(`no asset has a name like ${fileName}`);
  return type;
}
