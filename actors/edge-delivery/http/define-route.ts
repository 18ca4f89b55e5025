/**
 * A route that an edge serves by itself: its handler gets what the route's schemas make of a request, and is typed by them.
 *
 * The schemas are read here, where their types are known; the API sees a `LocalRoute`, which has none.
 */
import { z } from 'zod';
import type { Route, RouteInput } from '../../../cluster/contract/api/routes.ts';
import { sentenceOf } from '../../../cluster/errors/input-sentences.ts';
import type { HttpRequest, Reply } from './http.ts';
import type { Issue } from './issue.ts';
import { queryOf } from './query.ts';
import type { Match } from './router.ts';

/** Inputs as they came. */
export interface Asked extends Pick<Match, 'route' | 'params'> {
  /** The query string. */
  readonly query: string;
}

/** What a handler is told beside the path and the query. */
export type Told = Omit<RouteInput, 'params' | 'query'>;
export type Serve = (request: HttpRequest, told: Told) => Reply | Promise<Reply>;

export interface LocalRoute {
  readonly operation: string;
  /** Reads the inputs. Their faults go to `issues`; with one there is nothing to serve. */
  readonly read: (asked: Asked, issues: Issue[]) => Serve | undefined;
}

interface Described<P, Q> extends Pick<Route, 'operation'> {
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
}

export function defineRoute<P, Q>(
  { operation, params, query }: Described<P, Q>,
  serve: (request: HttpRequest, input: RouteInput<P, Q>) => Reply | Promise<Reply>,
): LocalRoute {
  return {
    operation,
    read: (asked, issues) => {
      const path = check(params, asked.params, 'path', issues);
      const asking = asked.query === '' ? {} : queryOf(asked.route, asked.query, issues);
      const rest = check(query, asking, 'query', issues);
      if (path === undefined || rest === undefined) return undefined;
      return (request, told) => serve(request, { ...told, params: path.value, query: rest.value });
    },
  };
}

const nothing = z.object({});
/** Of a path without parameters. */
export const noParams = nothing;

/** Completes a route that takes no query. */
export function withoutQuery<R>(route: R) {
  return { ...route, query: nothing };
}

/** Completes a route that takes neither parameters nor a query. */
export function withoutInput<R>(route: R) {
  return { ...route, params: nothing, query: nothing };
}

/** The most faults of one request that its answer lists. */
const mostIssues = 50;

/** Undefined: what is wrong is in `issues`. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  where: Issue['in'],
  issues: Issue[],
): { readonly value: T } | undefined {
  const result = schema.safeParse(value, { error: sentenceOf });
  if (result.success) return { value: result.data };
  // Only the last fault of each field is shown: a number that is too large for every schema would otherwise be listed more than once.
  const byField = new Map(
    result.error.issues.map(({ path, message }) => [path.map(String).join('.'), message]),
  );
  for (const [at, message] of [...byField].slice(0, mostIssues)) issues.push({ in: where, at, message });
  return undefined;
}
