/**
 * Composition root of one node: reads the configuration, opens the ports, creates the services of its roles, and closes
 * everything in the opposite order. Only here and in tests do shells meet.
 */
import { createHash, randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BrokerOptions, ServiceBroker, ServiceSchema } from 'moleculer';
import { controlService } from './actors/control/control.service.ts';
import { openSqliteStreamRegistry } from './actors/control/stream-registry.sqlite.ts';
import { standingOf, type StreamRegistry } from './actors/control/stream-registry.ts';
import { Sweeper } from './actors/control/sweeper.ts';
import { drainService } from './actors/drain/drain.service.ts';
import { nothingToHandOver } from './actors/drain/drain.ts';
import { edgeDeliveryService } from './actors/edge-delivery/edge-delivery.service.ts';
import { allRoutes, makeEdge } from './actors/edge-delivery/edge.ts';
import { makeOperatorApi } from './actors/edge-delivery/http/node-api.ts';
import { OperatorPort, operatorPortLimits } from './actors/edge-delivery/http/operator-port.ts';
import { trustedProxies } from './actors/edge-delivery/http/trusted-proxies.system.ts';
import { uwsServer } from './actors/edge-delivery/http/http.uws.ts';
import { loadSite } from './actors/edge-delivery/site/site.disk.ts';
import { ffmpegThumbnail } from './actors/edge-delivery/playback/thumbnail.ffmpeg.ts';
import { ingestService } from './actors/ingest/ingest.service.ts';
import { defaultIngestLimits, openRtmpIngest } from './actors/ingest/rtmp/rtmp-ingest.rtmp.ts';
import { loadLadders } from './actors/media/ladder/ladders.disk.ts';
import type { Ladder } from './actors/media/ladder/ladder.ts';
import { openStore } from './actors/segment-store/open-store.ts';
import type { SegmentStore } from './actors/segment-store/segment-store.ts';
import { streamService } from './actors/stream/stream.service.ts';
import { openFfmpegEncoder, readFingerprint } from './actors/transcode-worker/encoder.ffmpeg.ts';
import { transcodeWorkerService } from './actors/transcode-worker/transcode-worker.service.ts';
import { TranscodeWorker } from './actors/transcode-worker/worker.ts';
import { loadConfig, type NodeConfig } from './config/config.ts';
import { httpUrlOf, rtmpUrlOf } from './config/public-url.ts';
import { loadSecrets, type Secrets } from './config/secrets.disk.ts';
import { openNatsEdgeLoads, type EdgeLoads } from './cluster/load/edge-loads.nats.ts';
import type { Readiness } from './cluster/contract/api/edge-routes.ts';
import { brokerIdOf, nodeCalls, type NodeCalls } from './cluster/rpc/node-calls.moleculer.ts';
import { connectNats } from './cluster/nats/connection.nats.ts';
import type { Member, Membership } from './cluster/membership/member-directory.ts';
import { openNatsMembership } from './cluster/membership/membership.nats.ts';
import {
  candidatesOf,
  edgesOf,
  isSound,
  membershipParts,
  otherIngest,
} from './cluster/membership/members-for.ts';
import { BootId } from './cluster/model/ids.ts';
import { baseBrokerOptions } from './cluster/observe/broker-options.moleculer.ts';
import { letHeapGrow } from './cluster/observe/heap.system.ts';
import type { Logger } from './cluster/observe/logger.ts';
import { pinoLogger } from './cluster/observe/logger.pino.ts';
import { prometheusMetrics, type PrometheusMetrics } from './cluster/observe/metrics.prometheus.ts';
import { openNatsIndexLog } from './cluster/log/index-log.nats.ts';
import type { IndexLog } from './cluster/log/index-log.ts';
import { OwnershipMemory, type KnownOwnership } from './cluster/ownership/known-ownership.ts';
import { openNatsOwnershipStore } from './cluster/ownership/ownership-store.nats.ts';
import { openNatsTaskQueue } from './cluster/queue/task-queue.nats.ts';
import type { TaskQueue } from './cluster/queue/task-queue.ts';
import { systemClock as clock } from './cluster/time/clock.system.ts';

/** Bounds of a stop: tasks in progress get this long before they go back to the queue. */
const workerDrainMs = 4000;
/** Of what nodes say to each other; raised when two versions cannot work together. */
const protocol = 1;

/** What the services of a node are made of. */
interface Parts {
  readonly config: NodeConfig;
  readonly secrets: Secrets;
  readonly bootId: BootId;
  readonly logger: Logger;
  readonly metrics: PrometheusMetrics;
  readonly members: Membership;
  readonly loads: EdgeLoads;
  readonly store: SegmentStore;
  readonly log: IndexLog;
  readonly ownership: KnownOwnership;
  readonly queue: TaskQueue;
  readonly registry: StreamRegistry;
  readonly ladders: ReadonlyMap<string, Ladder>;
  readonly natsDownMs: () => number;
  readonly tells: Tells;
  /** Run at a stop, after the services, before the ports close. */
  readonly closers: (() => Promise<void>)[];
  /** Of this host's ffmpeg: what an owner pins, and a worker must have (C9). */
  readonly fingerprint: string;
}

/** Opens every port of the node so configured. */
export async function composeNode(config: NodeConfig): Promise<BrokerOptions> {
  letHeapGrow();
  const secrets = loadSecrets(config.dataDir);
  const bootId = BootId.parse(randomBytes(6).toString('hex'));
  const { nodeId: node, region } = config;
  const logger = pinoLogger({ level: config.logLevel, node, region });
  const metrics = prometheusMetrics({ node, region });
  const nats = await connectNats({ servers: config.natsServers, name: node, logger, metrics, clock });
  const { connection } = nats;
  const shared = { connection, region, replicas: config.natsReplicas, metrics, logger, clock };
  const store = await openStore(config.store, join(config.dataDir, 'segments'), { clock, metrics, logger });
  const log = await openNatsIndexLog(shared);
  const records = await openNatsOwnershipStore(shared);
  const ownership = new OwnershipMemory({ store: records, clock, isDown: () => nats.downMs() > 0 });
  ownership.start();
  const fingerprint = await readFingerprint(config.worker.ffmpeg);
  const queue = await openNatsTaskQueue({ ...shared, fingerprint });
  const registry = openSqliteStreamRegistry(join(config.dataDir, 'tangaza.sqlite'));
  const self = describeSelf(config, bootId);
  const members = await openMembership({ ...shared, self, secrets });
  const loads = openNatsEdgeLoads({ ...shared, node });
  const ladders = loadLadders(join(import.meta.dirname, 'config/ladders'));
  const { downMs: natsDownMs } = nats;
  const tells = tellsOf({ config, secrets, members, metrics, natsDownMs });
  const parts: Parts = {
    ...{ config, secrets, bootId, logger, metrics, members, loads, store, log, ownership, queue, registry },
    ...{ ladders, natsDownMs, fingerprint, tells, closers: [] },
  };
  const operatorPort = makeOperatorPort(parts);
  const services = await makeServices(parts);
  return {
    ...baseBrokerOptions({
      region,
      brokerId: brokerIdOf(node, bootId),
      natsServers: config.natsServers,
      logger,
    }),
    created: (broker: ServiceBroker) => {
      const calls = nodeCalls({ broker, self: node, bootId, members, clock });
      for (const make of services) broker.createService(make(calls));
    },
    started: () => operatorPort.listen(),
    stopped: async () => {
      await operatorPort.close();
      for (const close of parts.closers) await close();
      ownership.stop();
      loads.close();
      registry.close();
      await members.close();
      await store.close();
      await nats.close();
      logger.info({}, 'the node has stopped');
    },
  };
}

export default async (): Promise<BrokerOptions> =>
  composeNode(loadConfig(process.env, availableParallelism()));

type MakeService = (calls: NodeCalls) => ServiceSchema;

/** In order of start; Moleculer stops them all at once, each within its own bound. */
async function makeServices(parts: Parts): Promise<readonly MakeService[]> {
  const { roles } = parts.config;
  const ingestGone = Promise.withResolvers<void>();
  return [
    ...(roles.has('control') ? [controlMaker(parts)] : []),
    ...(roles.has('ingest')
      ? [streamMaker(parts, ingestGone.promise), ingestMaker(parts, ingestGone.resolve)]
      : []),
    drainMaker(parts),
    ...(roles.has('transcode-worker') ? [await workerMaker(parts)] : []),
    ...(roles.has('edge-delivery') ? [await edgeMaker(parts)] : []),
  ];
}

function controlMaker(parts: Parts): MakeService {
  const { config, secrets, registry, ownership, members, loads, ladders } = parts;
  const { nodeId: node, region, retentionSeconds } = config;
  const sweeper = new Sweeper({ ...parts, node, region, clock, retentionSeconds });
  return (calls) =>
    controlService(
      {
        checkDeadline: members.checkDeadline,
        clock,
        registry,
        ownership,
        members,
        ladders: new Set(ladders.keys()),
        defaultLadder: config.ladder,
        keySecret: secrets.streamKeySecret,
        newId: () => randomBytes(6).toString('hex'),
        newSalt: () => randomBytes(12).toString('base64url'),
        askHealth: calls.askHealth,
        askOnAir: calls.askOnAir,
        connectionsOf: (edge) => loads.loadOf(edge),
        suspects: () => members.suspects(),
        closeSessions: calls.closeAllSessions,
        beginDrain: calls.beginDrain,
        release: () => members.release(),
      },
      sweeper,
    );
}

function drainMaker({ config, members, logger }: Parts): MakeService {
  const { nodeId: node, drainSeconds, roles } = config;
  return ({ own }) =>
    drainService({
      checkDeadline: members.checkDeadline,
      node,
      clock,
      logger,
      withinMs: drainSeconds * 1000,
      othersLeft: () => candidatesOf(members).filter(({ id }) => id !== node).length,
      setDraining: () => members.setDraining(),
      ...(roles.has('ingest') ? own : nothingToHandOver),
      exit: () => process.kill(process.pid, 'SIGTERM'),
    });
}

/** A session that closes still offers what it has: its owner, here, stops after it. */
function streamMaker(parts: Parts, stopAfter: Promise<void>): MakeService {
  const { config, bootId, log, ownership, queue, ladders, store, metrics, logger, members, fingerprint } =
    parts;
  return ({ closeAllSessions, adopt, askEdges, askFold }) =>
    streamService({
      members,
      checkDeadline: members.checkDeadline,
      node: config.nodeId,
      region: config.region,
      ...{ bootId, clock, log, ownership, queue, ladders, store, metrics, logger, fingerprint, stopAfter },
      dvrWindowSeconds: config.dvrWindowSeconds,
      retentionSeconds: config.retentionSeconds,
      isAlive: (node, boot) => members.isAlive(node, boot),
      refreshMembers: () => members.refresh(),
      candidates: () => candidatesOf(members),
      ...{ askToAdopt: adopt, askEdges, askFold },
      closeSessions: (params) => {
        closeAllSessions(params).catch((error: unknown) =>
          logger.warn({ err: error }, 'sessions could not be told to close'),
        );
      },
    });
}

function ingestMaker({ config, store, metrics, logger, members }: Parts, onStopped: () => void): MakeService {
  const { host, port, maxPublishers } = config.rtmp;
  const limits = { ...defaultIngestLimits, maxConnections: maxPublishers };
  const ingest = openRtmpIngest({ host, port, limits, clock, metrics, logger });
  const onListening = (bound: number): void => logger.info({ host, port: bound }, 'RTMP is listening');
  return ({ stream, authenticate, forgetOwner }) =>
    ingestService({
      checkDeadline: members.checkDeadline,
      otherIngest: (stream) => otherIngest(members, config.nodeId, stream),
      onOwnerGone: (listener) => members.onGone(({ node }) => listener(forgetOwner(node))),
      ingest,
      node: config.nodeId,
      clock,
      store,
      stream,
      authenticate,
      metrics,
      logger,
      onListening,
      onStopped,
    });
}

async function workerMaker(parts: Parts): Promise<MakeService> {
  const { config, queue, store, metrics, logger, fingerprint } = parts;
  const { slots, ffmpeg } = config.worker;
  const tempRoot = join(config.dataDir, 'tmp', config.nodeId);
  const encoder = await openFfmpegEncoder({ ffmpeg, tempRoot, clock, niceness: 2 });
  parts.closers.push(() => Promise.resolve(encoder[Symbol.asyncDispose]()));
  return ({ report }) => {
    const shared = { slots, fingerprint, queue, store, encoder, clock, logger, metrics };
    const ports = { node: config.nodeId, report, ...shared };
    return transcodeWorkerService({
      worker: new TranscodeWorker(ports),
      slots,
      fingerprint,
      drainMs: workerDrainMs,
    });
  };
}

async function edgeMaker(parts: Parts): Promise<MakeService> {
  const { config, log, store, logger, metrics, members, loads, registry, natsDownMs, tells } = parts;
  return ({ callAction }) => {
    const edge = makeEdge({
      node: config.nodeId,
      region: config.region,
      clock,
      log,
      store,
      logger,
      metrics,
      ...tells,
      call: callAction,
      listEdges: () => edgesOf(members),
      lookUpStream: async (id) => standingOf(registry, id, clock.utcMs()),
      removedSince: async (utcMs) => registry.removedSince(utcMs).map(({ id }) => id),
      isSound: (edge) => isSound(members, edge),
      loadOf: (edge) => loads.loadOf(edge),
      health: tells.readiness,
      logDownSeconds: () => natsDownMs() / 1000,
      makeThumbnail: ffmpegThumbnail({ ffmpeg: config.worker.ffmpeg }),
      loadSite: (signal) => loadSite(clock, signal),
      publicUrl: config.http.publicUrl,
      isTrustedProxy: trustedProxies(config.http.trustedProxies),
      cacheBytes: config.cacheBytes,
      dvrWindowSeconds: config.dvrWindowSeconds,
      leastHoldBackSeconds: config.leastHoldBackSeconds,
      retentionSeconds: config.retentionSeconds,
    });
    tells.readiness = edge.readiness;
    const server = uwsServer({ clock, metrics, logger });
    loads.tell(() => server.connections);
    return edgeDeliveryService({
      checkDeadline: members.checkDeadline,
      clock,
      logger,
      edge,
      server,
      host: config.http.host,
      port: config.http.port,
    });
  };
}

/** What a node answers of itself, and who may ask. */
interface Tells {
  readiness: () => Readiness['parts'];
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly operatorToken: string;
  readonly metricsToken: string | undefined;
}

function tellsOf(parts: Pick<Parts, 'config' | 'secrets' | 'members' | 'metrics' | 'natsDownMs'>): Tells {
  const { config, secrets, members, metrics, natsDownMs } = parts;
  const gone = (): object => (natsDownMs() === 0 ? {} : { detail: `gone for ${natsDownMs()} ms` });
  return {
    readiness: () => [...membershipParts(members, config.nodeId), { name: 'nats', isReady: true, ...gone() }],
    renderMetrics: async () => ({ text: await metrics.render(), contentType: metrics.contentType }),
    operatorToken: config.operatorToken ?? secrets.operatorToken,
    metricsToken: config.metricsToken,
  };
}

function makeOperatorPort({ config, tells, metrics, logger }: Parts): OperatorPort {
  const { operatorToken, metricsToken, renderMetrics } = tells;
  const access = { operatorToken, metricsToken, isLocalPort: config.operator?.isLoopback === true };
  return new OperatorPort({
    at: config.operator,
    server: uwsServer({ clock, metrics, logger, limits: operatorPortLimits, listener: 'operator' }),
    api: makeOperatorApi({
      ...{ node: config.nodeId, clock, access, renderMetrics, routes: allRoutes },
      readiness: () => tells.readiness(),
    }),
    logger,
  });
}

function describeSelf({ nodeId, region, roles, weight, http, rtmp }: NodeConfig, bootId: BootId): Member {
  return {
    id: nodeId,
    region,
    host: hostname(),
    pid: process.pid,
    bootId,
    roles: [...roles],
    httpUrl: httpUrlOf(http),
    rtmpUrl: rtmpUrlOf(rtmp),
    startedAt: new Date(clock.utcMs()).toISOString(),
    weight,
    protocol,
  };
}

function openMembership(ports: {
  readonly connection: NatsConnection;
  readonly replicas: number;
  readonly self: Member;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly metrics: PrometheusMetrics;
}): Promise<Membership> {
  const { secrets, logger, ...others } = ports;
  const exit = (why: string): void => {
    logger.error({ why }, 'the node ends');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  const secretHash = createHash('sha256').update(`membership:${secrets.streamKeySecret}`).digest('hex');
  return openNatsMembership({ ...others, logger, clock, random: Math.random, secretHash, exit });
}
