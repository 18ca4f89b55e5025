/** Calls the control API for the CLI: finds the token, sends the request, and turns a problem document into a sentence. */
import type { Command } from 'commander';
import { z } from 'zod';
import { chooseTarget, usualFolder, usualUrl, type Target } from './find-cluster.ts';
import { readFolderDemo } from './folder-demo.disk.ts';

/** A node answers reads within 4 s, whatever is down. A change may take as long as an action may. */
const timeoutMs = { read: 6000, change: 10_000 } as const;

const Problem = z.object({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });

export interface ApiOptions {
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
  readonly json?: true;
}

interface ApiRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Adds the options that every command has which talks to a cluster. */
export function withApiOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      `any node of the cluster; default: those of the demo in the data folder, without one ${usualUrl}`,
    )
    .option(
      '--token <token>',
      "operator token of the cluster; default: the demo's own for the demo, TANGAZA_OPERATOR_TOKEN for another --url",
    )
    .option('--data <dir>', `data folder of a demo on this machine; default: ${usualFolder}`)
    .option('--json', 'print JSON');
}

/** @throws Error with the API's own words when it refuses, or with what to do when no node of this version answers */
export async function callApi<S extends z.ZodType>(
  options: ApiOptions,
  request: ApiRequest,
  schema: S,
): Promise<z.output<S>> {
  const reply = await ask(targetOf(options), request);
  const text = await reply.text();
  if (!reply.ok) throw new Error(describe(text, reply.status));
  const answer = schema.safeParse(jsonOf(text));
  if (answer.success) return answer.data;
  const { origin } = new URL(reply.url);
  throw new Error(
    `${origin} answers, but not as a node of this version of Tangaza does: is it one? (--url names another)`,
    { cause: answer.error },
  );
}

const noJson = Symbol('no JSON');

/** Undefined for nothing, and a symbol for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return noJson;
  }
}

/** Shows `rows` in padded columns; only a sentence when there are none. */
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

function targetOf({ url, token, data }: ApiOptions): Target {
  const envToken = process.env['TANGAZA_OPERATOR_TOKEN'] || undefined;
  return chooseTarget({ url, token, envToken, data }, readFolderDemo(data ?? usualFolder));
}

/** Asks one node after the other: a read until one answers, a change until one accepts the connection. */
async function ask({ urls, token }: Target, request: ApiRequest): Promise<Response> {
  const { method, path, body } = request;
  let failure: unknown;
  for (const url of urls) {
    try {
      return await fetch(new URL(path, url), {
        method: method ?? 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(method === undefined ? timeoutMs.read : timeoutMs.change),
      });
    } catch (error) {
      failure = error;
      if (method !== undefined && !isRefused(error)) break;
    }
  }
  throw new Error(`no node answers at ${urls.join(', ')}: is the cluster up? (--url names another)`, {
    cause: failure,
  });
}

/** Nobody listens there, as `fetch` reports it. */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'ECONNREFUSED') || isRefused(error.cause);
}

function describe(text: string, status: number): string {
  const problem = Problem.safeParse(jsonOf(text)).data;
  if (problem === undefined) return `the node answered ${status}`;
  const { title, detail, code } = problem;
  return `${detail ?? title} (${code ?? status})`;
}
