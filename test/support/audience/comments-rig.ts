/** The comments of one node as the API shows them: the real server, actor, identity and database, without a cluster around. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBroker } from 'moleculer';
import { Comments } from '../../../actors/comments/comments.ts';
import { commentsService } from '../../../actors/comments/comments.service.ts';
import type { Change } from '../../../actors/comments/feed/change.ts';
import { Counts } from '../../../actors/comments/counts/counts.ts';
import { composeIdentity } from '../../../actors/comments/identity/identity.composition.ts';
import { operatorId } from '../../../actors/comments/identity/identity.ts';
import { noReplication, type Replication } from '../../../actors/comments/replication/replication.ts';
import type { AudienceStore } from '../../../actors/comments/store/audience-store.ts';
import type { StoredComment } from '../../../actors/comments/store/comment-store.ts';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import { parseWordRules } from '../../../actors/comments/text/word-rules.ts';
import { Guest } from '../../../cluster/contract/api/audience-views.ts';
import { RegionId, StreamId, type UserId } from '../../../cluster/model/ids.ts';
import { publicHalf, type TokenKeys } from '../../../cluster/model/token-keys.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import type { CommentPorts } from '../../../actors/comments/comment-ports.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { newKey } from '../../../config/token-keys.disk.ts';
import { operatorToken, startTestEdge } from '../ports/test-edge.ts';
import { clientIdAt } from './written.ts';

export interface Asked {
  readonly token?: string;
  readonly body?: unknown;
  /** Where it comes from; each test's callers are on networks of their own. */
  readonly network?: string;
}

export interface Answered {
  readonly status: number;
  /** Of a problem; empty for what went well. */
  readonly code: string;
  readonly retryAfter: string;
  readonly body: unknown;
}

export interface CommentsRig extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly operatorToken: string;
  readonly operatorId: UserId;
  /** What the feed of this node would answer first pages from, in order. */
  readonly ring: { rows: readonly StoredComment[] | undefined };
  readonly store: AudienceStore;
  /** Where its database lies. */
  readonly folder: string;
  readonly tokenKeys: TokenKeys;
  /** The stream that comments are posted on. */
  readonly demo: StreamId;
  /** What other nodes and sockets are told, in order. */
  readonly changes: readonly Change[];
  /** Another node tells of a change. */
  readonly hear: (change: Change) => void;
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** The token of a new guest. */
  guest(name: string): Promise<string>;
  /** Posts on the stream `demo`, with a clientId of now. */
  post(token: string, text: string, more?: object, network?: string): Promise<Answered>;
}

const words = parseWordRules('test', {
  rules: [
    { act: 'replace', words: ['darn'] },
    { act: 'hold', words: ['casino*'] },
    { act: 'refuse', words: ['forbidden word'] },
  ],
});

/** A clientId of now, and no other one. */
export function newClientId(): string {
  serial += 1;
  return clientIdAt(Date.now(), serial);
}
let serial = 0;

/** Another node than this one: of the same region, with the same database, or of another region that knows its keys. */
export interface Beside {
  readonly rig: CommentsRig;
  readonly hasSameDatabase: boolean;
}

/** Stands in for its file. Its opener closes it. */
export interface RigDatabase {
  readonly store: AudienceStore;
  readonly replication: Replication;
}

/** The time as this node has it, and as it knows the clocks of other regions; what it knows of their copies. */
type RigParts = Partial<Pick<CommentPorts, 'clock' | 'times' | 'replication' | 'lag'>>;

export async function startCommentsRig(
  beside?: Beside,
  database?: RigDatabase,
  { clock = systemClock, times, ...others }: RigParts = {},
): Promise<CommentsRig> {
  await using opened = new AsyncDisposableStack();
  const ownFolder = await mkdtemp(join(tmpdir(), 'tangaza-comments-'));
  opened.defer(() => rm(ownFolder, { recursive: true }));
  const folder = beside?.hasSameDatabase === true ? beside.rig.folder : ownFolder;
  const { store, replication } = database ?? (await openFile(join(folder, 'c.sqlite'), opened));
  const region = RegionId.parse('eu');
  const signing = newKey(region);
  const tokenKeys = beside?.rig.tokenKeys ?? { signing, known: [publicHalf(signing)] };
  const identity = await composeIdentity({ tokenKeys, accounts: undefined, clock, logger, metrics });
  const changes: Change[] = [];
  const ring: CommentsRig['ring'] = { rows: undefined };
  const listeners: ((change: Change) => void)[] = [];
  const comments = new Comments({
    region,
    clock,
    logger,
    metrics,
    store,
    identities: identity,
    receipts: identity,
    voices: identity,
    lookUpStream: async (id) => ({ kind: standings[id] ?? 'unknown' }),
    outlet: {
      told: (change) => void changes.push(change),
      found: (change) => void changes.push(change),
      onHeard: (listener) => {
        listeners.push(listener);
        return () => {};
      },
    },
    newest: (_stream, limit) => ring.rows?.slice(-limit),
    counts: new Counts({ clock, store }),
    words,
    replication: others.replication ?? replication,
    lag: others.lag,
    times,
  });
  const broker = new ServiceBroker({ logger: false });
  broker.createService(commentsService({ comments, clock, checkDeadline: () => {} }));
  opened.defer(() => broker.stop());
  await broker.start();
  const edge = opened.use(
    await startTestEdge({
      call: (action, input) => broker.call(action, input),
      isTrustedProxy: (address) => address === '127.0.0.1',
    }),
  );
  const ask = (method: string, path: string, asked: Asked = {}) => answerOf(edge.url, method, path, asked);
  const post = (token: string, text: string, more: object = {}, network = newNetwork()) =>
    ask('POST', '/v1/streams/demo/comments', {
      token,
      network,
      body: { text, clientId: newClientId(), ...more },
    });
  const all = opened.move();
  return {
    url: edge.url,
    port: edge.port,
    operatorToken,
    operatorId,
    ring,
    store,
    folder,
    tokenKeys,
    demo: StreamId.parse('demo'),
    changes,
    hear: (change) => {
      for (const listener of listeners) listener(change);
    },
    ask,
    post,
    guest: async (name) =>
      Guest.parse((await ask('POST', '/v1/guests', { body: { name }, network: newNetwork() })).body).token,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function openFile(file: string, closing: AsyncDisposableStack): Promise<RigDatabase> {
  const store = await openSqliteCommentStore({ file, clock: systemClock, metrics, logger });
  closing.defer(() => store.close());
  return { store, replication: noReplication };
}

const standings: Readonly<Record<string, 'known' | 'removed'>> = {
  demo: 'known',
  other: 'known',
  gone: 'removed',
};

let networks = 0;
export function newNetwork(): string {
  networks += 1;
  return `10.${(networks >> 16) & 255}.${(networks >> 8) & 255}.${networks & 255}`;
}

async function answerOf(url: string, method: string, path: string, asked: Asked): Promise<Answered> {
  const { token, body, network = newNetwork() } = asked;
  const reply = await fetch(url + path, {
    method,
    headers: {
      'x-forwarded-for': network,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && {
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    }),
  });
  const text = await reply.text();
  const parsed: unknown = text === '' ? undefined : JSON.parse(text);
  const code = typeof parsed === 'object' && parsed !== null && 'code' in parsed ? String(parsed.code) : '';
  return { status: reply.status, code, retryAfter: reply.headers.get('retry-after') ?? '', body: parsed };
}
