/**
 * Reads a query string. The API refuses an unknown name, as a misspelt one would otherwise be ignored silently. On playback paths unknown
 * names are ignored, as players and caches in front add their own.
 */
import type { Route } from '../../../cluster/contract/api/routes.ts';
import { given } from '../../../cluster/errors/input-sentences.ts';
import type { Issue } from './issue.ts';

const mostParameters = 100;
/** Players add this name to every request (CTA-5004). */
const ofPlayers = new Set(['CMCD']);
/** Players ask it for the time, with the names that they add to media, too. */
const timePath = '/v1/time';

export function queryOf(
  { query: schema, auth, path }: Pick<Route, 'query' | 'auth' | 'path'>,
  text: string,
  issues: Issue[],
): Readonly<Record<string, string>> {
  const known = Object.keys(schema?.shape ?? {});
  const isStrict =
    auth === 'operator' || (path.startsWith('/v1/') && path !== timePath && schema !== undefined);
  const values = new Map<string, string>();
  const fault = (at: string, message: string): void => void issues.push({ in: 'query', at, message });
  for (const part of text.split('&').slice(0, mostParameters)) {
    if (part === '') continue;
    const [name, value] = splitAt(part).map(decoded);
    if (name === undefined || value === undefined) {
      if (isStrict) fault('', `must be in UTF-8 with valid %-escapes; ${given(part)} was given`);
    } else if (!known.includes(name)) {
      if (isStrict && !ofPlayers.has(name)) fault('', `must not have ${given(name)}; ${listOf(known)}`);
    } else if (values.has(name)) fault(name, 'must come once; it was given several times');
    else values.set(name, value);
  }
  return Object.fromEntries(values);
}

const listOf = (known: readonly string[]): string =>
  known.length === 0 ? 'this path takes no query' : `this path takes ${known.join(', ')}`;

function splitAt(part: string): readonly [name: string, value: string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
