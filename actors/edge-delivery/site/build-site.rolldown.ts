/**
 * Builds the site, in a process of its own, as the bundler takes 300 MB for half a second, which no node should keep.
 *
 * `node build-site.rolldown.ts FILE` bundles the pages' scripts (an engine is a chunk of its own, loaded on demand). It gives assets names
 * that contain a hash of their content, compresses them as far as possible, and writes everything to FILE.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { rolldown, type OutputChunk } from 'rolldown';
import { makeTemplate, type BuiltFiles } from './page-template.ts';
import { assetFolders, engineModules, entryFiles, pageFiles } from './site-sources.ts';
import { contentTypeOf, pageNames, type Asset, type PageName, type Site } from './site.ts';

const packed = { brotli: promisify(brotliCompress), gzip: promisify(gzip) };

/** The build of Shaka that plays DASH and is not translated for browsers older than 2021: two thirds of the size of the whole. */
const shaka = {
  asked: 'shaka-player/dist/shaka-player.compiled.js',
  taken: 'dist/shaka-player.dash-es2021.js',
};

const packageFolder = (name: string): string => dirname(findPackageJSON(name, import.meta.url) ?? '');

async function bundle(): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    input: Object.fromEntries(Object.values(entryFiles).map((file) => [entryName(file), file])),
    platform: 'browser',
    tsconfig: false,
    moduleTypes: { '.css': 'text' }, // a part that is loaded on demand brings its styles along
    resolve: { alias: { [shaka.asked]: join(packageFolder('shaka-player'), shaka.taken) } },
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: true,
    comments: { legal: false },
    entryFileNames: 'assets/[name]-[hash].js',
    chunkFileNames: 'assets/[name]-[hash].js',
  });
  await build.close();
  return output.filter((one) => one.type === 'chunk');
}

const entryName = (file: string): string => file.replace(/^.*\/|\.browser\.ts$/g, '');

const pathOf = (fileName: string): string => `/${fileName}`;

function isOf(chunk: OutputChunk, module: string): boolean {
  return chunk.facadeModuleId?.endsWith(`/${module}`) === true;
}

/** @throws Error when that module has no chunk */
function chunkOf(chunks: readonly OutputChunk[], module: string): OutputChunk {
  const chunk = chunks.find((one) => isOf(one, module));
  if (chunk === undefined) throw new Error(`the pages have no script ${module}`);
  return chunk;
}

/** Swagger UI. Compressing it as far as possible would take seconds, and a first start waits for its pages. */
const largeBytes = 1_000_000;
const largeQuality = 9;

async function compress({ fileName, code }: OutputChunk): Promise<Asset> {
  const body = Buffer.from(code);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]:
      body.byteLength > largeBytes ? largeQuality : constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.byteLength,
  };
  const [brotli, gzipped] = await Promise.all([
    packed.brotli(body, { params }),
    packed.gzip(body, { level: 9 }),
  ]);
  return { path: pathOf(fileName), contentType: contentTypeOf(fileName), body, brotli, gzip: gzipped };
}

async function readAsset(name: string): Promise<string> {
  for (const folder of [...assetFolders, packageFolder('swagger-ui-dist')]) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`there is no style sheet ${name}`);
}

async function readStyles(html: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const names = new Set(
    html.flatMap((text) => [...text.matchAll(/\/assets\/([\w.-]+\.css)/g)].map(([, name]) => name ?? '')),
  );
  return new Map(await Promise.all([...names].map(async (name) => [name, await readAsset(name)] as const)));
}

async function buildSite(): Promise<Site> {
  const chunks = await bundle();
  const sources = await Promise.all(
    pageNames.map(async (name) => [name, await readFile(pageFiles[name], 'utf8')] as const),
  );
  const styles = await readStyles(sources.map(([, html]) => html));
  const files: BuiltFiles = {
    style: (name) => styles.get(name) ?? '',
    script: (name) => {
      const { fileName, imports } = chunkOf(chunks, name);
      return { path: pathOf(fileName), imports: imports.map(pathOf) };
    },
  };
  const templates = new Map(sources.map(([name, html]) => [name, makeTemplate(html, files)]));
  const template = (name: PageName): string => templates.get(name) ?? '';
  const watch = chunkOf(chunks, 'watch.browser.ts');
  const engine = (module: string): string[] => {
    const { fileName, imports } = chunkOf(chunks, module);
    return [fileName, ...imports].filter((name) => name !== watch.fileName).map(pathOf);
  };
  return {
    assets: await Promise.all(chunks.map(compress)),
    pages: {
      index: template('index'),
      ops: template('ops'),
      watch: template('watch'),
      embed: template('embed'),
      docs: template('docs'),
      error: template('error'),
    },
    engines: { dash: engine(engineModules.dash), hls: engine(engineModules.hls) },
  };
}

/** Writes the whole file or nothing, as another process may read it or write the same. */
async function write(file: string, site: Site): Promise<void> {
  const part = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(part, serialize(site));
  await rename(part, file);
}

const [, , file] = process.argv;
if (file === undefined) throw new Error('which file?');
setPriority(10); // what is on air comes first
await write(file, await buildSite());
