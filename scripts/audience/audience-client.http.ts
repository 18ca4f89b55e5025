/** A user's HTTP requests and live sockets, with the token of a guest. */
import { z } from 'zod';
import {
  Comment,
  CommentPage,
  Guest,
  type PostCommentBody,
} from '../../cluster/contract/api/audience-views.ts';
import { ServerMessage, socketProtocol } from '../../cluster/contract/audience/socket-messages.ts';
import { afterRefusal } from './outbox.ts';
import type {
  Answer,
  AudienceClient,
  CommentPageRead,
  OpenSocket,
  PageQuery,
  SocketListener,
} from './user-ports.ts';

const answerWithinMs = 5000;
const openWithinMs = 5000;

const Frame = z.array(z.unknown());
const Refusal = z.looseObject({ code: z.string() });

export interface ClientOptions {
  readonly stream: string;
  readonly name: string;
  /** Where somebody seems to come from, for edges that trust this machine as a proxy. */
  readonly address: string | undefined;
}

/** Asks an edge for a guest's token. @throws Error with the edge's answer when it gives none */
export async function makeGuest(edge: string, options: ClientOptions): Promise<AudienceClient> {
  const reply = await ask(`${edge}/v1/guests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...forwarded(options) },
    body: JSON.stringify({ name: options.name }),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${edge} gives no guest's token: ${reply.status} ${text.slice(0, 300)}`);
  return clientOf(options, Guest.parse(JSON.parse(text)).token);
}

function clientOf(options: ClientOptions, token: string): AudienceClient {
  const { stream } = options;
  const comments = (edge: string): string => `${edge}/v1/streams/${stream}/comments`;
  const headers = { authorization: `Bearer ${token}`, ...forwarded(options) };
  return {
    token,
    open: (url, listener) => openSocket(url, listener, forwarded(options)),
    post: (edge, body) => post(comments(edge), body, { ...headers, 'content-type': 'application/json' }),
    list: (edge, query) => list(comments(edge), query, headers),
    hide: (edge, id) => act(urlOf(edge, id), { method: 'DELETE', headers }),
    like: (edge, { id, isOn, atMs }) => {
      const at = encodeURIComponent(new Date(atMs).toISOString());
      return act(`${urlOf(edge, id)}/like?at=${at}`, { method: isOn ? 'PUT' : 'DELETE', headers });
    },
  };
}

const urlOf = (edge: string, id: string): string => `${edge}/v1/comments/${encodeURIComponent(id)}`;

/** @returns whether it was answered that it is done; undefined where nobody says, or it is to be asked again */
async function act(url: string, init: RequestInit): Promise<boolean | undefined> {
  try {
    const reply = await ask(url, init);
    const text = await reply.text();
    if (reply.ok) return true;
    return afterRefusal(codeIn(text) ?? '', reply.status) === 'over' ? false : undefined;
  } catch {
    return undefined;
  }
}

const codeIn = (text: string): string | undefined => Refusal.safeParse(jsonOf(text)).data?.code;

const ask = (url: string, init: RequestInit): Promise<Response> =>
  fetch(url, { ...init, signal: AbortSignal.timeout(answerWithinMs) });

const forwarded = ({ address }: ClientOptions): Record<string, string> =>
  address === undefined ? {} : { 'x-forwarded-for': address };

async function post(url: string, body: PostCommentBody, headers: Record<string, string>): Promise<Answer> {
  try {
    const reply = await ask(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await reply.text();
    if (reply.ok) return { kind: 'taken', comment: Comment.parse(JSON.parse(text)) };
    const seconds = Number(reply.headers.get('retry-after') ?? Number.NaN);
    return {
      kind: 'refused',
      code: codeIn(text) ?? `HTTP_${reply.status}`,
      status: reply.status,
      retryAfterSeconds: Number.isFinite(seconds) ? seconds : undefined,
    };
  } catch {
    return { kind: 'silent' };
  }
}

async function list(
  url: string,
  query: PageQuery,
  headers: Record<string, string>,
): Promise<CommentPageRead> {
  const search = new URLSearchParams({ limit: String(query.limit) });
  if (query.before !== undefined) search.set('before', query.before);
  if (query.after !== undefined) search.set('after', query.after);
  const reply = await ask(`${url}?${search.toString()}`, { headers });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url} answers ${reply.status}: ${text.slice(0, 300)}`);
  return CommentPage.parse(JSON.parse(text));
}

function openSocket(
  url: string,
  listener: SocketListener,
  headers: Record<string, string>,
): Promise<OpenSocket> {
  const socket = new WebSocket(url, { protocols: [socketProtocol], headers });
  const { promise, resolve, reject } = Promise.withResolvers<OpenSocket>();
  const timer = setTimeout(() => socket.close(), openWithinMs);
  socket.addEventListener('open', () => {
    clearTimeout(timer);
    resolve({ send: (message) => socket.send(JSON.stringify(message)), close: () => socket.close() });
  });
  socket.addEventListener('message', ({ data }) => listener.onFrame(messagesIn(String(data))));
  // What failed is told by `close`, too.
  socket.addEventListener('error', () => {});
  socket.addEventListener('close', ({ code }) => {
    clearTimeout(timer);
    reject(new Error(`${url} closed with ${code}`));
    listener.onClose();
  });
  return promise;
}

/** A newer server may send messages that nobody here knows: they are left out. */
function messagesIn(text: string): readonly ServerMessage[] {
  return (Frame.safeParse(jsonOf(text)).data ?? []).flatMap((one) => {
    const message = ServerMessage.safeParse(one).data;
    return message === undefined ? [] : [message];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
