/**
 * A page in two steps. At the build its HTML gets its style sheets inlined, for the shell must not wait for them, and its
 * scripts by their hashed names; what differs from reply to reply stays a slot. At a request the slots are filled.
 */
import { escapeHtml, plainText, scriptJson } from './html.ts';

const slots = { head: '<!--head-->', title: '<!--title-->', text: '<!--text-->' } as const;

export interface BuiltFiles {
  /** The text of a style sheet by its name in the page, `style.css`. */
  readonly style: (name: string) => string;
  /** Hashed path of an entry by its name in the page, `watch.browser.ts`, and what it imports. */
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
  /** Without the product's name. */
  readonly title: string;
  readonly description: string;
  /** Of the page itself, wherever else its content may be found. */
  readonly canonicalUrl: string | undefined;
  /** Absolute. */
  readonly imageUrl: string | undefined;
  /** Search engines must not list it. */
  readonly isHidden: boolean;
  /** Modules that the page will load, fetched beside its script. */
  readonly preloads: readonly string[];
  /** Read by the page's script from `#page-data`. */
  readonly data: unknown;
}

export function fillTemplate(template: string, facts: PageFacts): string {
  // Functions, for a `$` in a replacement text would be a pattern.
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
