/** Builds the comments actor of a node from the node's parts. */
import { join } from 'node:path';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { Database } from '../../cluster/cassandra/database.cassandra.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import { RegionClock } from '../../cluster/region/region-clock.ts';
import type { AudiencePorts } from '../../cluster/contract/audience/audience-feed.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { UnusableError } from '../../config/unusable.ts';
import type { CommentPorts } from './comment-ports.ts';
import { Comments } from './comments.ts';
import { commentsService } from './comments.service.ts';
import { openCassandraChangedCounts } from './regions/changed-counts.cassandra.ts';
import { Counts } from './counts/counts.ts';
import { composeFeed } from './feed/feed.composition.ts';
import type { Identities, Receipts } from './identity/identity.ts';
import { CommentSync } from './regions/comment-sync.ts';
import { RegionLag } from './regions/region-lag.ts';
import { Observer } from './replication/observer.ts';
import { inOwnFile, pulledReads } from './replication/pulled-reads.ts';
import { cassandraReplicaReads } from './replication/replica-reads.cassandra.ts';
import { noReplication, type Replication } from './replication/replication.ts';
import type { Voices } from './identity/voices.ts';
import type { AudienceStore } from './store/audience-store.ts';
import { openCassandraCommentStore } from './store/comment-store.cassandra.ts';
import { openSqliteCommentStore, type RegionalStore } from './store/comment-store.sqlite.ts';
import type { WordRules } from './text/word-rules.ts';
import { loadWordRules } from './text/words.disk.ts';

export interface CommentsParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'dataDir' | 'wordsFile' | 'cassandra'>;
  /** Undefined: the comments lie in a file of the data folder (A14). */
  readonly database: Database | undefined;
  readonly identity: Identities & Receipts & Voices;
  readonly lookUpStream: CommentPorts['lookUpStream'];
  /** Gets the feed, for the sockets of this node. */
  readonly audience: AudiencePorts;
}

const defaultWords = join(import.meta.dirname, '../../config/comments/words.json');

/**
 * @param closing gets what closes the database
 * @throws UnusableError for a database or a file of words that only an operator can mend
 */
export async function composeComments(
  parts: CommentsParts,
  closing: AsyncDisposableStack,
): Promise<MakeService> {
  const { config, region, clock, logger, metrics, identity, lookUpStream, members, audience, others } = parts;
  const words = openWords(config.wordsFile ?? defaultWords);
  const file = join(config.dataDir, 'comments.sqlite');
  const { database } = parts;
  const shared = database === undefined ? undefined : openCassandraCommentStore(database, clock);
  let sync: CommentSync | undefined;
  const onWritten = () => sync?.changed();
  const own = shared === undefined ? await openStore({ file, clock, metrics, logger, onWritten }) : undefined;
  const store: AudienceStore = shared ?? mustBe(own);
  closing.defer(() => store.close());
  const regional = others.regions.length === 0 ? undefined : own;
  const recountLikes = shared === undefined ? undefined : shared.recountLikes.bind(shared);
  const counts = new Counts({ clock, store, recountLikes });
  const isSharedByRegions = database !== undefined && config.cassandra.dataCentres.length > 1;
  const replication = openReplication(database, regional, parts);
  const changedCounts =
    isSharedByRegions && database !== undefined
      ? openCassandraChangedCounts(database, region, () => clock.utcMs())
      : undefined;
  const onBack = database?.onBack.bind(database);
  const lag = regional && new RegionLag({ store: regional, regions: others.regions, clock, logger });
  await lag?.look();
  const all = { store, counts, changedCounts, isSharedByRegions, replication, onBack, lag };
  const feed = composeFeed(parts, all, closing);
  audience.feed = feed;
  audience.keepReactions = (...args) => store.keepReactions(...args);
  const comments = new Comments({
    region,
    clock,
    logger,
    metrics,
    store,
    identities: identity,
    receipts: identity,
    voices: identity,
    lookUpStream,
    outlet: feed,
    newest: (stream, limit) => feed.newest(stream, limit),
    counts,
    changedCounts,
    words,
    replication,
    lag,
    times: regional === undefined ? undefined : new RegionClock(region, others),
    mustBeEverywhere: async () => sync?.mustBeEverywhere(),
  });
  if (regional !== undefined) sync = openSync(regional, comments, parts);
  const { checkDeadline } = members;
  return () => commentsService({ comments, checkDeadline, clock, sync });
}

/** One node of the region pulls for all, as they share the file. */
function openSync(store: RegionalStore, comments: Comments, parts: CommentsParts): CommentSync {
  const { node, members } = parts;
  const isMine = (): boolean => {
    const serving = members
      .list()
      .members.filter(({ isAlive, roles }) => isAlive && roles.includes('edge-delivery'));
    return order('comments', serving)[0]?.id === node;
  };
  return new CommentSync({ ...parts, store, isMine, tell: (taken) => comments.takenElsewhere(taken) });
}

function mustBe<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('one of two stores is open');
  return value;
}

/** With one data centre, or one region, there is none. */
function openReplication(
  database: Database | undefined,
  regional: RegionalStore | undefined,
  { clock, logger, metrics, region, others }: CommentsParts,
): Replication {
  const ports = { clock, logger, metrics };
  if (regional !== undefined)
    return inOwnFile(new Observer({ ...ports, reads: pulledReads(regional, others.regions) }), region);
  if (database === undefined || database.dataCentres.length < 2) return noReplication;
  return new Observer({ ...ports, reads: cassandraReplicaReads(database) });
}

/** @throws UnusableError for a file that only an operator can mend */
async function openStore(options: Parameters<typeof openSqliteCommentStore>[0]): Promise<RegionalStore> {
  try {
    return await openSqliteCommentStore(options);
  } catch (error) {
    throw error instanceof TangazaError ? new UnusableError(error.message) : error;
  }
}

function openWords(file: string): WordRules {
  try {
    return loadWordRules(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableError(`TANGAZA_COMMENT_WORDS: ${file} cannot be used: ${why}`);
  }
}
