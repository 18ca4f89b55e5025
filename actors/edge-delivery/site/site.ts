/** The site of an edge: its pages as templates, and the assets that they load. Made once by `build-site.rolldown.ts`. */
import { z } from 'zod';

export const pageNames = ['index', 'ops', 'watch', 'embed', 'docs', 'error'] as const;
export type PageName = (typeof pageNames)[number];

const bytes = z.instanceof(Uint8Array);

/** Its name changes with its content: whoever has it may keep it for ever. */
export const Asset = z.object({
  /** `/assets/watch-BEqg9JKs.js` */
  path: z.string(),
  contentType: z.string(),
  body: bytes,
  /** Compressed as well as can be: it is done once. */
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
  /** What a player of that format loads first beside the page's own script. */
  engines: z.object({ dash: z.array(z.string()), hls: z.array(z.string()) }),
});
export type Site = z.infer<typeof Site>;

const contentTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** @throws Error for an ending that no asset has */
export function contentTypeOf(fileName: string): string {
  const type = contentTypes[fileName.slice(fileName.lastIndexOf('.') + 1)];
  if (type === undefined) throw new Error(`no asset has a name like ${fileName}`);
  return type;
}
