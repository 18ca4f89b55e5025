/** Finds the route of a request by the number of its path segments. Literal segments go before parameters. Paths are never decoded. */
import type { Route } from '../../../cluster/contract/api/routes.ts';

export interface Match {
  readonly kind: 'route';
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}
export type Found =
  | Match
  | { readonly kind: 'wrongMethod'; readonly allow: string; readonly isPublic: boolean }
  | { readonly kind: 'nothing' };

interface Path {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly literals: number;
  readonly routes: Map<string, Route>;
}

export type Router = (method: string, path: string) => Found;

/** No route has a longer path, so longer ones are not looked at. */
const maxPathLength = 512;

/** @throws Error for two routes with the same method and path */
export function makeRouter(routes: readonly Route[]): Router {
  const byDepth = new Map<number, Path[]>();
  for (const route of routes) addRoute(byDepth, route);
  for (const paths of byDepth.values()) paths.sort((left, right) => right.literals - left.literals);
  return (method, path) => {
    if (path.length > maxPathLength) return { kind: 'nothing' };
    for (const candidate of byDepth.get(depthOf(path)) ?? []) {
      const matched = candidate.pattern.exec(path);
      if (matched === null) continue;
      const route = candidate.routes.get(method === 'head' ? 'get' : method);
      if (route === undefined) return wrongMethod(candidate.routes);
      const params = Object.fromEntries(
        candidate.names.map((name, index) => [name, matched[index + 1] ?? '']),
      );
      return { kind: 'route', route, params };
    }
    return { kind: 'nothing' };
  };
}

function addRoute(byDepth: Map<number, Path[]>, route: Route): void {
  const paths = byDepth.get(depthOf(route.path)) ?? [];
  byDepth.set(depthOf(route.path), paths);
  const compiled = compile(route.path);
  const known = paths.find((path) => path.pattern.source === compiled.pattern.source) ?? compiled;
  if (known === compiled) paths.push(compiled);
  if (known.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
  known.routes.set(route.method, route);
}

function compile(template: string): Path {
  const names: string[] = [];
  const source = template.replaceAll(/\{(\w+)\}|[^{\w/]/g, (text, name: string | undefined) => {
    if (name === undefined) return `\\${text}`;
    names.push(name);
    return '([^/]+?)';
  });
  const literals = template.replaceAll(/\{\w+\}/g, '').length;
  return { pattern: new RegExp(`^${source}$`), names, literals, routes: new Map() };
}

function depthOf(path: string): number {
  let depth = 0;
  for (let index = 0; index < path.length; index++) if (path.codePointAt(index) === 47) depth++;
  return depth;
}

/** A path is public when none of its methods takes a token. */
function wrongMethod(routes: ReadonlyMap<string, Route>): Found {
  const isPublic = [...routes.values()].every(({ auth }) => auth === 'none');
  return { kind: 'wrongMethod', allow: allowOf(routes), isPublic };
}

/** The methods of a path, as in the Allow header. */
function allowOf(routes: ReadonlyMap<string, Route>): string {
  const methods = [...routes.keys()].map((method) => method.toUpperCase());
  return [...methods, ...(routes.has('get') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
