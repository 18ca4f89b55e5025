/** Calls the control API for the operator page. The token is kept in the session storage of the tab. */
import type { AudienceView } from '../../../cluster/contract/audience/reactions.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import type {
  ClusterView,
  LiveStreams,
  DrainView,
  RegionsView,
  ReleaseView,
  StreamPage,
  StreamWithKey,
} from '../../../cluster/contract/api/control-views.ts';
import { maybeToken } from './ops-words.ts';

/** A refusal, with the text of the node's problem document, or the fact that no node answered. */
export class ApiError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const timeoutMs = 8000;
const storageKey = 'tangaza-operator-token';

export const token = {
  get: (): string => sessionStorage.getItem(storageKey) ?? '',
  set: (value: string): void => sessionStorage.setItem(storageKey, value.trim()),
  forget: (): void => sessionStorage.removeItem(storageKey),
};

const one = (id: string): string => `/v1/streams/${encodeURIComponent(id)}`;

/** Each of these throws an `ApiError` when it fails. */
export const api = {
  cluster: () => call<ClusterView>('GET', '/v1/cluster'),
  streams: (limit: number, cursor?: string) =>
    call<StreamPage>(
      'GET',
      `/v1/streams?limit=${limit}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    ),
  regions: () => call<RegionsView>('GET', '/v1/regions'),
  /** What is on air in all regions. */
  live: () => call<LiveStreams>('GET', '/v1/live'),
  audience: (id: string) => call<AudienceView>('GET', `${one(id)}/audience`),
  health: (id: string) => call<StreamHealth>('GET', `${one(id)}/health`),
  create: (body: { readonly title: string; readonly id?: string }) =>
    call<StreamWithKey>('POST', '/v1/streams', body),
  rotateKey: (id: string) => call<StreamWithKey>('POST', `${one(id)}/key`),
  remove: (id: string) => send('DELETE', one(id)),
  drain: (node: string, force: boolean) =>
    call<DrainView>('POST', `/v1/nodes/${encodeURIComponent(node)}/drain`, force ? { force } : {}),
  release: () => call<ReleaseView>('POST', '/v1/cluster/release'),
};

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await send(method, path, body)).json();
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  if (!maybeToken(token.get())) throw new ApiError('The token has characters that no token can have.', 401);
  const reply = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token.get()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    cache: 'no-store',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => {
    throw new ApiError('This node does not answer. Open the operator page of another node.', 0);
  });
  if (reply.ok) return reply;
  const problem: unknown = await reply.json().catch(() => undefined);
  throw new ApiError(sentenceOf(problem) ?? `The node answered with ${reply.status}.`, reply.status);
}

function sentenceOf(problem: unknown): string | undefined {
  if (typeof problem !== 'object' || problem === null) return undefined;
  const detail: unknown = Reflect.get(problem, 'detail') ?? Reflect.get(problem, 'title');
  return typeof detail === 'string' ? detail : undefined;
}
