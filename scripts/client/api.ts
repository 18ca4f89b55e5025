/** The control API as the CLI uses it: finds the token, sends the request, turns a problem into a sentence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';

/** A node answers reads within 4 s, whatever is down; the rest may take the bound of an action. */
const timeoutMs = { read: 6000, change: 10_000 } as const;

const Problem = z.object({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });
const Secrets = z.object({ operatorToken: z.string() });

export interface ApiOptions {
  readonly url: string;
  readonly token?: string;
  readonly data: string;
  readonly json?: true;
}

/** Adds what every command that talks to a cluster takes. */
export function withApiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'any node of the cluster', 'http://127.0.0.1:8080')
    .option(
      '--token <token>',
      "bearer token; default: TANGAZA_OPERATOR_TOKEN, or the demo's own on this machine",
    )
    .option('--data <dir>', 'data folder of a demo on this machine', '.tangaza')
    .option('--json', 'print JSON');
}

/** @throws Error with the API's own words when it refuses */
export async function callApi<S extends z.ZodType>(
  options: ApiOptions,
  request: { readonly method?: string; readonly path: string; readonly body?: unknown },
  schema: S,
): Promise<z.output<S>> {
  const reply = await fetch(new URL(request.path, options.url), {
    method: request.method ?? 'GET',
    headers: {
      authorization: `Bearer ${findToken(options)}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal: AbortSignal.timeout(request.method === undefined ? timeoutMs.read : timeoutMs.change),
  }).catch((error: unknown) => {
    throw new Error(`no node answers at ${options.url}: is the cluster up? (--url names another)`, {
      cause: error,
    });
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(describe(text, reply.status));
  return schema.parse(text === '' ? undefined : JSON.parse(text));
}

/** The columns of `rows`, padded; nothing but a sentence when there are none. */
export function table(rows: readonly Readonly<Record<string, string | number>>[], empty: string): string {
  const [first] = rows;
  if (first === undefined) return `${empty}\n`;
  const columns = Object.keys(first);
  const cells = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((row) => columns.map((name) => String(row[name] ?? ''))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return `${cells.map(line).join('\n')}\n`;
}

export function print(options: { readonly json?: true }, value: unknown, text: () => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(value)}\n` : text());
}

function findToken({ token, data }: ApiOptions): string {
  const given = token ?? process.env['TANGAZA_OPERATOR_TOKEN'];
  if (given !== undefined) return given;
  const file = join(data, 'region-1', 'secrets.json');
  try {
    return Secrets.parse(JSON.parse(readFileSync(file, 'utf8'))).operatorToken;
  } catch {
    throw new Error(`no operator token: give --token or TANGAZA_OPERATOR_TOKEN (there is none in ${file})`);
  }
}

function describe(text: string, status: number): string {
  try {
    const { title, detail, code } = Problem.parse(JSON.parse(text));
    return `${detail ?? title} (${code ?? status})`;
  } catch {
    return `the node answered ${status}`;
  }
}
