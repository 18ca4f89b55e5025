/** The pages and assets of an edge: our own, and the players from npm, all served from here (no outside host). */
import { findPackageJSON, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import type { StaticSource } from './static-files.disk.ts';

const pages = join(import.meta.dirname, 'pages');
/** The browser runs the same TypeScript that is checked here, its types stripped once at the start. */
const modules = ['engine', 'hls', 'index', 'native', 'shaka', 'watch'] as const;
const opsModules = [
  'ops.browser',
  'ops-actions.browser',
  'ops-api.browser',
  'ops-dialog.browser',
  'ops-elements.browser',
  'ops-words',
];

const page = (path: string, file: string): StaticSource => ({ path, file: join(pages, file) });
const library = (path: string, name: string, file: string): StaticSource => ({
  path,
  file: join(dirname(findPackageJSON(name, import.meta.url) ?? ''), file),
});

/** What `loadStaticFiles` loads. */
export const pageSources: readonly StaticSource[] = [
  page('/', 'index.html'),
  page('/watch/{id}', 'watch.html'),
  page('/embed/{id}', 'embed.html'),
  page('/ops', '../ops-page/ops.html'),
  page('/assets/ops.css', '../ops-page/ops.css'),
  ...opsModules.map((name) => ({
    ...page(`/assets/${name}.ts`, `../ops-page/${name}.ts`),
    transform: (text: string) => stripTypeScriptTypes(text),
  })),
  page('/assets/style.css', 'style.css'),
  ...modules.map((name) => ({
    ...page(`/assets/${name}.browser.ts`, `${name}.browser.ts`),
    transform: (text: string) => stripTypeScriptTypes(text),
  })),
  library('/assets/shaka-player.js', 'shaka-player', 'dist/shaka-player.compiled.js'),
  library('/assets/hls.js', 'hls.js', 'dist/hls.min.js'),
  library('/assets/media-chrome.js', 'media-chrome', 'dist/iife/index.js'),
];
