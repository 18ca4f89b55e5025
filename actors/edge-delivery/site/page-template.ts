/**
 * Makes a page in two steps. At the build, style sheets are put into its HTML, as the page must not wait for them, and scripts get their
 * hashed names. What differs from reply to reply stays a slot. At a request the slots are filled.
 */
import { escapeHtml, plainText, scriptJson } from './html.ts';

const slots = { head: '<!--head-->', title: '<!--title-->', text: '<!--text-->' } as const;

export interface BuiltFiles {
  /** Gives the text of a style sheet by its name in the page, `style.css`. */
  readonly style: (name: string) => string;
  /** Gives the hashed path of an entry by its name in the page, `watch.browser.ts`, and what it imports. */
  readonly script: (name: string) => { readonly path: string; readonly imports: readonly string[] };
}

/** @throws Error when the page has no title, or names a file that is not built */
export function makeTemplate(html: string, { style, script }: BuiltFiles): string {
  if (!/<title>[^<]*<\/title>/.test(html)) throw new Error('the page has no <title>');
  return html
    .replaceAll(/\s*<link rel="icon"[^>]*>/g, '')
    .replace(/<title>[^<]*<\/title>/, slots.head)
    .replaceAll(/<link rel="stylesheet" href="\/assets\/([\w.-]+)" ?\/?>/g, (_tag, name: string) => {
      const text = style(name);
      if (/<\/style/i.test(text)) throw new Error(`${name} would end its <style>`);
      return `<style>${text}</style>`;
    })
    .replaceAll(/<script type="module" src="\/assets\/([\w.-]+)"><\/script>/g, (_tag, name: string) => {
      const { path, imports } = script(name);
      return `${modulePreloads(imports)}<script type="module" src="${path}"></script>`;
    });
}

const modulePreloads = (paths: readonly string[]): string =>
  paths.map((path) => `<link rel="modulepreload" href="${path}">`).join('');

/** What the head of a page says. All of it is escaped here. */
export interface PageFacts {
  /** Without the name of the product. */
  readonly title: string;
  readonly description: string;
  /** The address of the page itself, wherever else its content may be found. */
  readonly canonicalUrl: string | undefined;
  /** An absolute URL. */
  readonly imageUrl: string | undefined;
  /** True where search engines must not list it. */
  readonly isHidden: boolean;
  /** Modules that the page will load, which are fetched beside its script. */
  readonly preloads: readonly string[];
  /** Data for the page's script, which reads it from `#page-data`. */
  readonly data: unknown;
}

export function fillTemplate(template: string, facts: PageFacts): string {
  // Passed as functions, as a `$` in a replacement text would be a pattern.
  return template
    .replace(slots.head, () => headOf(facts))
    .replaceAll(slots.title, () => escapeHtml(plainText(facts.title)))
    .replaceAll(slots.text, () => escapeHtml(plainText(facts.description)));
}

function headOf({ title, description, canonicalUrl, imageUrl, isHidden, preloads, data }: PageFacts): string {
  const name = plainText(title);
  const text = plainText(description);
  const open = (property: string, content: string): string =>
    `<meta property="og:${property}" content="${escapeHtml(content)}">`;
  const meta = (key: string, content: string): string =>
    `<meta name="${key}" content="${escapeHtml(content)}">`;
  return [
    `<title>${escapeHtml(name === '' ? 'Tangaza' : `${name} · Tangaza`)}</title>`,
    '<link rel="icon" type="image/svg+xml" href="/favicon.svg">',
    modulePreloads(preloads),
    meta('description', text),
    ...(isHidden ? [meta('robots', 'noindex')] : []),
    ...(canonicalUrl === undefined
      ? []
      : [`<link rel="canonical" href="${escapeHtml(canonicalUrl)}">`, open('url', canonicalUrl)]),
    open('site_name', 'Tangaza'),
    open('title', name),
    open('description', text),
    open('type', imageUrl === undefined ? 'website' : 'video.other'),
    ...(imageUrl === undefined ? [] : [open('image', imageUrl), meta('twitter:image', imageUrl)]),
    meta('twitter:card', imageUrl === undefined ? 'summary' : 'summary_large_image'),
    meta('twitter:title', name),
    meta('twitter:description', text),
    ...(data === undefined
      ? []
      : [`<script type="application/json" id="page-data">${scriptJson(data)}</script>`]),
  ].join('');
}
