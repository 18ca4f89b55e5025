/** Pages: built with the hashed names of their scripts, filled with what users wrote, which must be harmless there. */
import { expect, test } from 'vitest';
import { escapeHtml, plainText, scriptJson } from '../../../../../actors/edge-delivery/site/html.ts';
import {
  fillTemplate,
  makeTemplate,
  type PageFacts,
} from '../../../../../actors/edge-delivery/site/page-template.ts';

const html = `<!doctype html><html><head>
  <title>Watch</title>
  <link rel="stylesheet" href="/assets/style.css" />
</head><body><h1><!--title--></h1><p><!--text--></p><script type="module" src="/assets/watch.browser.ts"></script></body></html>`;
const files = {
  style: (name: string) => `/* ${name} */ a > b { color: red }`,
  script: (name: string) => ({ path: `/assets/${name}-hash.js`, imports: ['/assets/shared-1.js'] }),
};
const template = makeTemplate(html, files);
const facts: PageFacts = {
  title: 'Evening news',
  description: 'Live now.',
  canonicalUrl: 'http://edge.test/watch/news',
  imageUrl: 'http://edge.test/live/news/thumbnail.jpg',
  isHidden: false,
  preloads: ['/assets/engine-2.js'],
  data: { id: 'news' },
};

test('a template has its style inlined, its script by its hashed name, and loads beside it what that imports', () => {
  expect(template).toContain('<style>/* style.css */ a > b { color: red }</style>');
  expect(template).toContain(
    '<link rel="modulepreload" href="/assets/shared-1.js"><script type="module" src="/assets/watch.browser.ts-hash.js"></script>',
  );
  expect(template).not.toMatch(/<title>|stylesheet/);
});

test('a page without a title, and a style that would end itself, are faults of the build', () => {
  expect(() => makeTemplate('<p>', files)).toThrow(/no <title>/);
  const style = () => 'a::after { content: "</STYLE>" }';
  expect(() => makeTemplate(html, { ...files, style })).toThrow(/would end its <style>/);
});

test('the head says title, description, picture and canonical address; the body too, where it has a slot', () => {
  const page = fillTemplate(template, facts);
  for (const part of [
    '<title>Evening news · Tangaza</title>',
    '<link rel="icon" type="image/svg+xml" href="/favicon.svg">',
    '<link rel="modulepreload" href="/assets/engine-2.js">',
    '<meta name="description" content="Live now.">',
    '<link rel="canonical" href="http://edge.test/watch/news">',
    '<meta property="og:title" content="Evening news">',
    '<meta property="og:image" content="http://edge.test/live/news/thumbnail.jpg">',
    '<meta property="og:url" content="http://edge.test/watch/news">',
    '<meta name="twitter:card" content="summary_large_image">',
    '<script type="application/json" id="page-data">{"id":"news"}</script>',
    '<h1>Evening news</h1>',
    '<p>Live now.</p>',
  ])
    expect(page).toContain(part);
  expect(page).not.toContain('noindex');
});

test('without a picture there is a small card, and a page that is not to be found says so', () => {
  const page = fillTemplate(template, { ...facts, imageUrl: undefined, isHidden: true, data: undefined });
  expect(page).toContain('<meta name="twitter:card" content="summary">');
  expect(page).toContain('<meta name="robots" content="noindex">');
  expect(page).not.toMatch(/og:image|page-data/);
});

test.for([
  { what: 'a script', title: '</title><script>alert(1)</script>' },
  { what: 'an attribute', title: '" onload="alert(1)' },
  { what: 'a quote and an ampersand', title: `'"&amp;` },
  { what: 'a pattern of replace', title: "$& $' $` $1" },
  { what: 'a slot', title: '<!--text-->' },
])('$what in a title stays text', ({ title }) => {
  const page = fillTemplate(template, { ...facts, title, data: { title } });
  const tags = (text: string): number => text.match(/<[a-z!/]/gi)?.length ?? 0;
  expect(tags(page)).toBe(tags(fillTemplate(template, { ...facts, data: { title: '' } })));
  expect(page).toContain(`<h1>${escapeHtml(title)}</h1>`);
  expect(page).not.toMatch(/\sonload="/);
  const data = /id="page-data">(.*?)<\/script>/.exec(page)?.[1] ?? '';
  expect(JSON.parse(data)).toEqual({ title });
});

test('what turns or hides the text around it is left out; right-to-left words and emoji stay', () => {
  expect(plainText('a\u202Eb\u2066c\u200Fd')).toBe('abcd');
  expect(plainText('two\nlines\u0000and\u2028more')).toBe('two lines and more');
  expect(plainText('\ud800lone')).toBe('\ufffdlone');
  expect(plainText(' أخبار المساء 👩‍🚀 ')).toBe('أخبار المساء 👩‍🚀');
});

test('JSON in a page ends no script and begins no comment', () => {
  const value = { title: '</script><!-- <script>' };
  expect(scriptJson(value)).not.toMatch(/[<>]/);
  expect(JSON.parse(scriptJson(value))).toEqual(value);
});
