/** What the site is made of: which files are pages, entries and style sheets. */
import { join } from 'node:path';
import type { PageName } from './site.ts';

const root = join(import.meta.dirname, '..');

/** Folders whose files the browser gets, or that make of them what it gets. */
export const sourceFolders: readonly string[] = ['pages', 'player', 'viewing', 'ops-page', 'site'].map(
  (folder) => join(root, folder),
);
/** Where what the pages name as `/assets/NAME` is looked for. */
export const assetFolders: readonly string[] = ['pages', 'ops-page'].map((folder) => join(root, folder));

export const pageFiles: Readonly<Record<PageName, string>> = {
  index: join(root, 'pages/index.html'),
  ops: join(root, 'ops-page/ops.html'),
  watch: join(root, 'pages/watch.html'),
  embed: join(root, 'pages/embed.html'),
  docs: join(root, 'pages/docs.html'),
  error: join(root, 'pages/error.html'),
};

/** Entries, by the name that pages give them. */
export const entryFiles: Readonly<Record<string, string>> = {
  'docs.browser.ts': join(root, 'pages/docs.browser.ts'),
  'index.browser.ts': join(root, 'pages/index.browser.ts'),
  'ops.browser.ts': join(root, 'ops-page/ops.browser.ts'),
  'watch.browser.ts': join(root, 'pages/watch.browser.ts'),
};

/** Modules that begin an engine, loaded on demand. */
export const engineModules = { dash: 'shaka.browser.ts', hls: 'hls.browser.ts' } as const;

/** Packages that are bundled, or bundle: another version makes another site. */
export const bundledPackages = [
  'rolldown',
  'shaka-player',
  'hls.js',
  'media-chrome',
  'swagger-ui-dist',
] as const;
