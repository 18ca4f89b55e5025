/** Writes the tables of settings, errors and benchmarks into their pages from code and results, between markers; the tidy test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { catalogue } from '../cluster/errors/catalogue.ts';
import { envSpec } from '../config/env.ts';
import { readKept } from './bench/kept-runs.disk.ts';
import { runsMarkdown } from './bench/kept-runs.ts';

export interface Setting {
  readonly schema: z.ZodType;
  readonly help: string;
  readonly isSecret?: boolean;
}

export interface CataloguedError {
  readonly status: number;
  readonly retry: string;
  readonly title: string;
}

export function settingsTable(spec: Readonly<Record<string, Setting>>): string {
  const rows = Object.entries(spec).map(([name, { schema, help, isSecret }]) => {
    const json = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
    const kind = json.enum?.join(', ') ?? String(json.type ?? 'string');
    const fallback = json.default === undefined ? '' : code(asText(json.default));
    return [code(name), isSecret ? `secret ${kind}` : kind, fallback, help];
  });
  return table(['variable', 'type', 'default', 'what'], rows);
}

export function errorsTable(errors: Readonly<Record<string, CataloguedError>>): string {
  const rows = Object.entries(errors).map(([name, { status, retry, title }]) => [
    code(name),
    String(status),
    retry,
    title,
  ]);
  return table(['code', 'status', 'retry', 'meaning'], rows);
}

/** Replaces the text between `<!-- NAME -->` and `<!-- /NAME -->`. @throws when a marker is missing */
export function withTables(readme: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [name, content]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(open), text.indexOf(close)];
    if (from < 0 || to < from) throw new Error(`the page has no ${open} … ${close}`);
    return `${text.slice(0, from + open.length)}\n\n${content}\n\n${text.slice(to)}`;
  }, readme);
}

/** In the page's order. */
export const benchesOnPage = [
  'transcode',
  'edge',
  'fanout',
  'ingest',
  'live',
  'page',
  'comments',
  'outages',
  'partition',
  'regions',
  'failover',
] as const;

/** What each benchmark that ran left behind. */
function benchResults(): string {
  return benchesOnPage
    .flatMap((name) => {
      const kept = readKept(name);
      return kept === undefined ? [] : [runsMarkdown(name, kept)];
    })
    .join('\n\n');
}

export interface GeneratedPage {
  readonly url: URL;
  readonly tables: Readonly<Record<string, string>>;
}

export const pagesNow = (): readonly GeneratedPage[] => [
  { url: new URL('../config/README.md', import.meta.url), tables: { settings: settingsTable(envSpec) } },
  {
    url: new URL('../cluster/errors/README.md', import.meta.url),
    tables: { errors: errorsTable(catalogue) },
  },
  { url: new URL('bench/README.md', import.meta.url), tables: { results: benchResults() } },
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Each page as it must be now; one that is so already is not touched. */
export function writeGeneratedPages(): void {
  for (const { url, tables } of pagesNow()) {
    const page = readFileSync(url, 'utf8');
    const current = withTables(page, tables);
    if (current !== page) writeFileSync(url, current);
  }
}

if (import.meta.main) writeGeneratedPages();
