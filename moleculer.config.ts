/**
 * The composition root of one node. It opens the parts of the node, lets the actors of its roles build themselves from them, and closes
 * everything in the opposite order, even when only half of the node was opened. Adapters and services meet only here, in composition files
 * and in tests.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { BrokerOptions, ServiceBroker } from 'moleculer';
import { composeComments } from './actors/comments/comments.composition.ts';
import { composeIdentity } from './actors/comments/identity/identity.composition.ts';
import { composeControl } from './actors/control/control.composition.ts';
import { composeRegistry } from './actors/control/regions/registry.composition.ts';
import { toldByRegistry } from './actors/control/registry-in-time.ts';
import { composeDrain } from './actors/drain/drain.composition.ts';
import { composeEdgeDelivery } from './actors/edge-delivery/edge-delivery.composition.ts';
import {
  composeNodePorts,
  nodeReadiness,
  type Tells,
} from './actors/edge-delivery/node-ports.composition.ts';
import { composeIngest } from './actors/ingest/ingest.composition.ts';
import type { Ladder } from './actors/media/ladder/ladder.ts';
import { loadLadders } from './actors/media/ladder/ladders.disk.ts';
import { openStore } from './actors/segment-store/open-store.ts';
import { StoreHealth } from './actors/segment-store/store-health.ts';
import { composeReactions } from './actors/reactions/reactions.composition.ts';
import { composeRelay } from './actors/stream/relay/relay.composition.ts';
import { composeStream } from './actors/stream/stream.composition.ts';
import { readFingerprint } from './actors/transcode-worker/encoder.ffmpeg.ts';
import { composeTranscodeWorker } from './actors/transcode-worker/transcode-worker.composition.ts';
import type { AudiencePorts } from './cluster/contract/audience/audience-feed.ts';
import { openDatabase } from './cluster/cassandra/cassandra.composition.ts';
import type { Database } from './cluster/cassandra/database.cassandra.ts';
import { UnusableCluster } from './cluster/cassandra/migrations.ts';
import { openOtherNodes } from './cluster/cassandra/other-nodes.nats.ts';
import { nothingToHandOver } from './cluster/contract/hand-over.ts';
import { readCassandraFiles } from './config/cassandra-files.disk.ts';
import { ConfigError, loadConfig, type NodeConfig } from './config/config.ts';
import { describeNode } from './config/describe-node.system.ts';
import { UnusableError } from './config/unusable.ts';
import { loadTopology } from './config/regions.disk.ts';
import { loadSharedSecrets } from './config/secrets.disk.ts';
import { loadTokenKeys } from './config/token-keys.disk.ts';
import { BootId } from './cluster/model/ids.ts';
import { accessOptions } from './cluster/nats/access.nats.ts';
import { connectNats } from './cluster/nats/connection.nats.ts';
import { openClusterParts } from './cluster/node/cluster-parts.composition.ts';
import { rememberOrdinals, type OrdinalOptions } from './cluster/region/topology/ordinals.nats.ts';
import type { Topology } from './cluster/region/topology/topology.ts';
import { baseBrokerOptions } from './cluster/observe/broker-options.moleculer.ts';
import { letHeapGrow } from './cluster/observe/heap.system.ts';
import type { Logger } from './cluster/observe/logger.ts';
import type { Metrics } from './cluster/observe/metrics.ts';
import { pinoLogger } from './cluster/observe/logger.pino.ts';
import { prometheusMetrics } from './cluster/observe/metrics.prometheus.ts';
import { brokerIdOf, nodeCalls, type MakeService } from './cluster/rpc/node-calls.moleculer.ts';
import { unlessAborted } from './cluster/time/within.ts';
import { systemClock as clock } from './cluster/time/clock.system.ts';

type Parts = Awaited<ReturnType<typeof openParts>>;
type Connection = Parameters<typeof openOtherNodes>[0];

export default async () => composeNode(loadConfig(process.env, availableParallelism()));

/**
 * Opens every part of a node with this configuration. Its ports listen once the broker has started.
 *
 * @param signal the node is told to stop before it has started
 * @throws the error of the part that cannot be opened, or the signal's reason, after the parts before it were closed
 */
export async function composeNode(config: NodeConfig, signal?: AbortSignal): Promise<BrokerOptions> {
  letHeapGrow();
  await using opened = new AsyncDisposableStack();
  const parts = await openParts(config, opened, signal);
  const services = await composeServices(parts, opened);
  const nodePorts = composeNodePorts(parts, opened);
  signal?.throwIfAborted();
  const { node, region, bootId, members, logger } = parts;
  const natsAccess = accessOptions(config.nats);
  const closing = opened.move();
  return {
    ...baseBrokerOptions({
      region,
      brokerId: brokerIdOf(node, bootId),
      natsAccess: { ...natsAccess },
      logger,
    }),
    created: (broker: ServiceBroker) => {
      const calls = nodeCalls({ broker, self: node, bootId, members, clock });
      for (const make of services) broker.createService(make(calls));
    },
    started: async () => {
      for (const port of nodePorts) await port.listen();
    },
    stopped: async () => {
      await closing.disposeAsync();
      logger.info({}, 'the node has stopped');
    },
  };
}

async function openParts(config: NodeConfig, closing: AsyncDisposableStack, signal?: AbortSignal) {
  const { nodeId: node, region, dataDir } = config;
  const topology = loadTopology(config);
  const ladders = openLadders(config);
  const secrets = loadSharedSecrets(config.secretsFile, dataDir);
  const tokenKeys = loadTokenKeys(config.tokenKeysFile, dataDir, region);
  const bootId = BootId.parse(randomBytes(6).toString('hex'));
  const logger = pinoLogger({ level: config.logLevel, node, region });
  const metrics = prometheusMetrics({ node, region });
  const { accounts } = config;
  const identity = await composeIdentity({ tokenKeys, accounts, clock, logger, metrics });
  const connecting = connectNats({ ...config.nats, name: node, logger, metrics, clock, signal });
  const nats = await unlessAborted(connecting, signal);
  closing.defer(() => nats.close());
  await mustKeepOrdinals(topology, {
    connection: nats.connection,
    region,
    replicas: config.natsReplicas,
    logger,
  });
  const health = new StoreHealth(clock);
  const opening = openStore(config.store, join(dataDir, 'segments'), { clock, metrics, logger, health });
  const store = await unlessAborted(opening, signal);
  closing.defer(() => store.close());
  const exit = (): void => void process.kill(process.pid, 'SIGTERM');
  const fail = (why: string): void => {
    logger.error({ why }, 'the node ends');
    process.exitCode = 1;
    exit();
  };
  const self = { node, region, bootId, clock, logger, metrics };
  // Before the node is a member: told to stop while it waits, it leaves nothing behind.
  const isShared = config.database === 'cassandra' && asksRegistry(config);
  const shared = { ...self, connection: nats.connection };
  const database = isShared ? await openShared(config, shared, signal) : undefined;
  closing.defer(async () => database?.close());
  const cluster = await openClusterParts(
    {
      ...self,
      nats,
      replicas: config.natsReplicas,
      member: describeNode(config, bootId, topology.version, clock),
      secret: secrets.streamKeySecret,
      topology,
      fingerprint: await readFingerprint(config.worker.ffmpeg),
      exit: fail,
    },
    closing,
  );
  const tells: Tells = {
    readiness: nodeReadiness(cluster, health),
    renderMetrics: async () => ({ text: await metrics.render(), contentType: metrics.contentType }),
    operatorToken: config.operatorToken ?? secrets.operatorToken,
    metricsToken: config.metricsToken,
  };
  const own = { config, store, database, ladders, tells, identity, keySecret: secrets.streamKeySecret, exit };
  const audience: AudiencePorts = { feed: undefined };
  return { ...cluster, ...own, local: nothingToHandOver(), audience };
}

/** @throws UnusableError when there is no ladder of the name that streams get which name none */
function openLadders({ ladder }: NodeConfig): ReadonlyMap<string, Ladder> {
  const ladders = loadLadders(join(import.meta.dirname, 'config/ladders'));
  if (ladders.has(ladder)) return ladders;
  const names = [...ladders.keys()].join(', ');
  throw new ConfigError([`TANGAZA_LADDER: there is no ladder ${ladder}; there are: ${names}`]);
}

/** @throws UnusableError when the file of regions gives an ordinal that was another's */
async function mustKeepOrdinals(topology: Topology, options: OrdinalOptions): Promise<void> {
  const faults = await rememberOrdinals(topology, options);
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `TANGAZA_REGIONS: ${fault}`));
}

/** @throws UnusableError when the database has another schema than this version needs, or lets nobody in */
async function openShared(
  { cassandra, region }: NodeConfig,
  { connection, ...ports }: { connection: Connection; logger: Logger; metrics: Metrics },
  signal?: AbortSignal,
): Promise<Database> {
  const migrations = join(import.meta.dirname, 'config/cassandra');
  const settings = readCassandraFiles(cassandra);
  const others = settings.dataCentres.length > 1 ? openOtherNodes(connection, region) : undefined;
  try {
    const database = await openDatabase(settings, migrations, { clock, ...ports, others }, signal);
    others?.answer(() => database.failed());
    return database;
  } catch (error) {
    throw error instanceof UnusableCluster ? new UnusableError(error.message, { cause: error }) : error;
  }
}

/** The others do without a database, so they start while it is away. */
const asksRegistry = ({ roles }: NodeConfig): boolean => roles.has('control') || roles.has('edge-delivery');

/** Composes the services in the order in which they start. Moleculer stops all of them at once, each within its own bound. */
async function composeServices(parts: Parts, closing: AsyncDisposableStack): Promise<readonly MakeService[]> {
  const { roles, dataDir } = parts.config;
  const { registry, sync: registrySync } = asksRegistry(parts.config)
    ? await composeRegistry(parts, dataDir, parts.database)
    : {};
  closing.defer(async () => registry?.close());
  const ingestGone = Promise.withResolvers<void>();
  return [
    ...(registry !== undefined && roles.has('control')
      ? [composeControl({ ...parts, registry, registrySync })]
      : []),
    ...(roles.has('ingest')
      ? [composeStream(parts, ingestGone.promise), composeIngest(parts, ingestGone.resolve)]
      : []),
    ...(parts.others.regions.length > 0 ? [composeRelay(parts)] : []),
    composeDrain(parts),
    ...(roles.has('transcode-worker') ? [await composeTranscodeWorker(parts, closing)] : []),
    ...(registry !== undefined && roles.has('edge-delivery')
      ? await composeEdge({ ...parts, ...toldByRegistry(registry, clock) }, closing)
      : []),
  ];
}

/** What viewers meet: the comments, the reactions, and the edge, which asks them. */
async function composeEdge(
  parts: Parts & ReturnType<typeof toldByRegistry>,
  closing: AsyncDisposableStack,
): Promise<readonly MakeService[]> {
  return [await composeComments(parts, closing), composeReactions(parts), composeEdgeDelivery(parts)];
}
