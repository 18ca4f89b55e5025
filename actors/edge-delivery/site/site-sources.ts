/** Lists what the site is made of: which files are pages, entries and style sheets. */
import { join } from 'node:path';
import type { PageName } from './site.ts';

const root = join(import.meta.dirname, '..');

/** The folders with files for the browser, or with code that makes such files. */
export const sourceFolders: readonly string[] = [
  'pages',
  'player',
  'viewing',
  'comments-panel',
  'comments-panel/conversation',
  'comments-panel/state',
  'comments-panel/styles',
  'ops-page',
  'site',
].map((folder) => join(root, folder));
/** The folders in which files are looked up that pages name as `/assets/NAME`. */
export const assetFolders: readonly string[] = ['pages', 'ops-page'].map((folder) => join(root, folder));

export const pageFiles: Readonly<Record<PageName, string>> = {
  index: join(root, 'pages/index.html'),
  ops: join(root, 'ops-page/ops.html'),
  watch: join(root, 'pages/watch.html'),
  embed: join(root, 'pages/embed.html'),
  docs: join(root, 'pages/docs.html'),
  error: join(root, 'pages/error.html'),
};

/** The entries, by the name that pages give them. */
export const entryFiles: Readonly<Record<string, string>> = {
  'docs.browser.ts': join(root, 'pages/docs.browser.ts'),
  'index.browser.ts': join(root, 'pages/index.browser.ts'),
  'ops.browser.ts': join(root, 'ops-page/ops.browser.ts'),
  'watch.browser.ts': join(root, 'pages/watch.browser.ts'),
};

/** The modules that an engine begins with, loaded on demand. */
export const engineModules = { dash: 'shaka.browser.ts', hls: 'hls.browser.ts' } as const;

/** The packages that are bundled, and the bundler. Another version of one of them makes another site. */
export const bundledPackages = [
  'rolldown',
  'shaka-player',
  'hls.js',
  'media-chrome',
  'swagger-ui-dist',
] as const;
