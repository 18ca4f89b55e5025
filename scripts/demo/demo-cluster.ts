/** Starts the demo cluster: real processes on this machine. `tangaza up` and the cluster tests run this same code. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashStreamKey } from '../../actors/control/stream-key.ts';
import type { StreamRegistry } from '../../actors/control/stream-registry.ts';
import { openStreamRegistry } from '../../actors/control/open-registry.system.ts';
import { loadSecrets, type Secrets } from '../../config/secrets.disk.ts';
import { RegionId, StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { lockFolder, type FolderLock } from '../../config/folder-lock.sqlite.ts';
import { ensureTokenKeys, tokenKeysName } from '../../config/token-keys.disk.ts';
import { UnusableError } from '../../config/unusable.ts';
import { askCql, askHttp, askNats, type Answer } from './answers.system.ts';
import { cassandraNameOf, specOfCassandra } from './cassandra/spec.ts';
import { freePort } from './free-port.system.ts';
import { endLeftovers } from './leftovers.system.ts';
import { operatorPortOf, placedNodes } from './ports.ts';
import { lookAtPorts } from './preflight.system.ts';
import type { ProcessEvent } from './process-event.ts';
import { leftoversIn, RunningFile } from './running-demo.disk.ts';
import { withoutUseless } from './settings.ts';
import { logFileOf, publisherSpec, specOfNats, specOfNode, specOfObjectStore, storeEnv } from './specs.ts';
import { stopAll, supervise, type ProcessSpec, type SupervisedProcess } from './supervised-process.system.ts';

const host = '127.0.0.1';
const demo = { id: StreamId.parse('demo'), title: 'Tangaza demo', keyWithoutPublisher: 'demo-key' };
const usualReadyMs = 30_000;
const cassandraReadyMs = 120_000;

export interface DemoOptions {
  readonly regions: number;
  /** The number of nodes in each region. */
  readonly nodes: number;
  readonly hasPublisher: boolean;
  readonly store: 'disk' | 's3';
  /** Where streams, keys and comments lie; by default sqlite. With cassandra each region has a data centre of its own. */
  readonly comments?: 'sqlite' | 'cassandra';
  /** The edge of node i listens on portBase + i, its RTMP on rtmpBase + i. 0 takes free ports, for tests. */
  readonly portBase: number;
  readonly rtmpBase: number;
  readonly dataDir: string;
  /** Added to the environment of every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** The URL by which a node reaches NATS, where a test stands between them. */
  readonly natsOf?: (node: string, natsUrl: string) => Promise<string>;
  /** How long the parts may take until they answer. By default 30 s. */
  readonly readyWithinMs?: number;
  /**
   * How long a process may take to end when it is told to, before it is killed. By default 10 s. For nodes it also sets
   * `TANGAZA_STOP_SECONDS`.
   */
  readonly stopWithinMs?: number;
  readonly onProgress?: (line: string) => void;
  readonly onEvent?: (event: ProcessEvent) => void;
  /** Checks the machine first. Its findings are reported together with those about the folder and the ports. */
  readonly preflight?: () => Promise<readonly string[]>;
  /** The name by which the folder's lock shows this process. */
  readonly command?: string;
  readonly signal?: AbortSignal;
  /** When it aborts, all processes get SIGKILL at once, and nobody waits. */
  readonly killSignal?: AbortSignal;
}

export interface DemoNode {
  readonly region: string;
  readonly node: string;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** `rtmp://127.0.0.1:1935/live` */
  readonly rtmp: string;
  /** `http://127.0.0.1:8180`: the node's metrics, without a token. */
  readonly operator: string;
  readonly process: SupervisedProcess;
}

export interface DemoRegion {
  readonly id: string;
  readonly dataDir: string;
  readonly nats: SupervisedProcess;
  readonly natsUrl: string;
  readonly objectStore: SupervisedProcess | undefined;
  readonly nodes: readonly DemoNode[];
}

export interface DemoCluster extends AsyncDisposable {
  readonly regions: readonly DemoRegion[];
  readonly nodes: readonly DemoNode[];
  readonly publisher: SupervisedProcess | undefined;
  readonly token: string;
  readonly stream: { readonly id: StreamId; readonly key: string };
  /** Resolves when a node ends because it cannot work with its settings. */
  readonly refused: Promise<UnusableError>;
}

/** What all parts of a start share. */
interface Site {
  readonly options: DemoOptions;
  readonly clock: Clock;
  /** Aborts when the caller gives up, and when a part says that it cannot work with its settings. */
  readonly signal: AbortSignal;
  /** Starts a process, which is stopped with the others. */
  readonly run: (spec: ProcessSpec) => SupervisedProcess;
}

/**
 * Starts everything in order and waits until each part answers. If it cannot, it stops what it has started.
 *
 * @throws UnusableError with all that is wrong with folder, machine and ports, before anything is started; or with the reason of a
 *   node that cannot work with its settings
 */
export async function startDemoCluster(
  options: DemoOptions,
  clock: Clock = systemClock,
): Promise<DemoCluster> {
  const lock = await takeFolder(options, clock);
  const running = new RunningFile(options.dataDir);
  const started: SupervisedProcess[] = [];
  const refusal = Promise.withResolvers<UnusableError>();
  const refused = new AbortController();
  const onEvent = (event: ProcessEvent): void => {
    if (event.kind === 'started') running.started(event.name, event.pid);
    options.onEvent?.(event);
    if (event.kind !== 'ended' || event.next.kind !== 'refused') return;
    const why = new UnusableError(`${event.name} cannot run: ${event.lastWords.join('\n')}`);
    refusal.resolve(why);
    refused.abort(why);
  };
  const site: Site = {
    options,
    clock,
    signal: AbortSignal.any([refused.signal, ...(options.signal === undefined ? [] : [options.signal])]),
    run: (spec) => {
      const process = supervise({ ...spec, onEvent }, clock);
      started.push(process);
      process.start();
      return process;
    },
  };
  const stopDemo = async (): Promise<void> => {
    await stopAll(started);
    running.remove();
    lock.release();
  };
  options.killSignal?.addEventListener('abort', () => {
    for (const one of started) one.killNow();
    running.remove();
    lock.release();
  });
  try {
    const parts = await startParts(site);
    running.ready(parts.nodes.map(({ region, node, url, rtmp }) => ({ region, node, url, rtmp })));
    return { ...parts, refused: refusal.promise, [Symbol.asyncDispose]: stopDemo };
  } catch (error) {
    await stopDemo();
    throw error;
  }
}

/** Takes the folder's lock, ends what an earlier demo left running there, and checks that the ports are free. */
async function takeFolder(options: DemoOptions, clock: Clock): Promise<FolderLock> {
  const faults = (await options.preflight?.()) ?? [];
  const lock = lockOr(options, faults);
  try {
    const say = options.onProgress ?? (() => {});
    await endLeftovers(leftoversIn(options.dataDir), clock, { say, signal: options.signal });
    refuse([...faults, ...(await lookAtPorts(options))]);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockOr({ dataDir, command }: DemoOptions, faults: readonly string[]): FolderLock {
  try {
    return lockFolder(dataDir, { kind: 'whole', command: command ?? 'a demo cluster' });
  } catch (error) {
    if (error instanceof UnusableError) refuse([...faults, error.message]);
    throw error;
  }
}

/** @throws UnusableError with all faults; returns when there are none */
function refuse(faults: readonly string[]): void {
  if (faults.length === 1) throw new UnusableError(faults[0]);
  if (faults.length > 1)
    throw new UnusableError(`the demo cannot start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
}

type DemoParts = Omit<DemoCluster, 'refused' | keyof AsyncDisposable>;

async function startParts(site: Site): Promise<DemoParts> {
  const { options } = site;
  const progress = options.onProgress ?? (() => {});
  const secrets = loadSecrets(join(options.dataDir, 'region-1'));
  const key = options.hasPublisher ? secrets.demoKey : demo.keyWithoutPublisher;
  const ids = Array.from({ length: options.regions }, (_, index) => RegionId.parse(`region-${index + 1}`));
  ensureTokenKeys(tokenKeysOf(options), ids);
  const regions: DemoRegion[] = [];
  for (const id of ids) regions.push(await startRegion(site, { secrets, id, key }));
  const nodes = regions.flatMap((region) => region.nodes);
  await Promise.all(
    nodes.map(async ({ node, url, rtmp }) => {
      await untilReady({ name: node, as: node, ask: (ms) => askHttp(`${url}/readyz`, ms) }, site);
      progress(`${node} is ready: ${url}, ${rtmp}`);
    }),
  );
  const urls = nodes.slice(0, 2).map(({ rtmp }) => `${rtmp}/${key}`);
  const publisher = options.hasPublisher ? site.run(publisherSpec(options, urls)) : undefined;
  if (publisher !== undefined) {
    progress('waiting for the first segments of the test publisher');
    const playlist = `${nodes[0]?.url}/live/${demo.id}/main.m3u8`;
    await untilReady({ name: publisher.name, ask: (ms) => askHttp(playlist, ms) }, site);
  }
  return { regions, nodes, publisher, token: secrets.operatorToken, stream: { id: demo.id, key } };
}

interface RegionPlan {
  readonly id: string;
  readonly secrets: Secrets;
  readonly key: string;
}

async function startRegion(site: Site, { id, secrets, key }: RegionPlan): Promise<DemoRegion> {
  const { options, run } = site;
  const dataDir = join(options.dataDir, id);
  mkdirSync(dataDir, { recursive: true });
  const natsPort = await freePort();
  const nats = run(specOfNats(options, id, { dataDir, port: natsPort }));
  options.onProgress?.(`nats-server of ${id} starts on port ${natsPort}`);
  const database = await startDatabase(site, { id, dataDir, key });
  const s3Port = options.store === 's3' ? await freePort() : 0;
  const keys = { accessKey: 'tangaza', secretKey: secrets.streamKeySecret };
  const objectStore =
    options.store === 's3'
      ? run(specOfObjectStore(options, id, { dataDir, port: s3Port, ...keys }))
      : undefined;
  if (objectStore !== undefined) options.onProgress?.(`VersityGW of ${id} (S3) starts on port ${s3Port}`);
  // Nodes that started earlier would only look for it all the time and get in its way.
  await untilReady({ name: nats.name, as: nats.name, ask: (ms) => askNats(natsPort, ms) }, site);
  const natsUrl = `nats://${host}:${natsPort}`;
  const nodes: DemoNode[] = [];
  for (const { ordinal, node } of placedNodes(options).filter(({ region }) => region === id)) {
    const httpPort = options.portBase === 0 ? await freePort() : options.portBase + ordinal;
    const rtmpPort = options.rtmpBase === 0 ? await freePort() : options.rtmpBase + ordinal;
    const operatorPort = options.portBase === 0 ? await freePort() : operatorPortOf(httpPort);
    const env = {
      ...withoutUseless(process.env),
      ...nodeEnv({
        region: id,
        node,
        httpPort,
        rtmpPort,
        operatorPort,
        dataDir,
        token: secrets.operatorToken,
        tokenKeys: tokenKeysOf(options),
        natsUrl: (await options.natsOf?.(node, natsUrl)) ?? natsUrl,
      }),
      ...(objectStore === undefined ? {} : storeEnv(s3Port, keys)),
      ...database,
      ...options.env,
    };
    nodes.push({
      region: id,
      node,
      url: `http://${host}:${httpPort}`,
      rtmp: `rtmp://${host}:${rtmpPort}/live`,
      process: run(specOfNode(options, node, env)),
      operator: `http://${host}:${operatorPort}`,
    });
  }
  return { id, dataDir, nats, natsUrl, objectStore, nodes };
}

export interface NodeSite {
  readonly region: string;
  readonly node: string;
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly operatorPort: number;
  readonly natsUrl: string;
  /** The data folder of the region, which its nodes on this machine share. */
  readonly dataDir: string;
  readonly token: string;
  /** The file of the keys that sign tokens, one for all regions. */
  readonly tokenKeys: string;
}

export const tokenKeysOf = ({ dataDir }: Pick<DemoOptions, 'dataDir'>): string =>
  join(dataDir, tokenKeysName);

/** The environment with which `tangaza node` becomes that node of a demo cluster. */
export function nodeEnv(site: NodeSite) {
  const { region, node, httpPort, rtmpPort, operatorPort, natsUrl, dataDir, token, tokenKeys } = site;
  return {
    TANGAZA_NODE_ID: node,
    TANGAZA_REGION: region,
    TANGAZA_HTTP_HOST: host,
    TANGAZA_HTTP_PORT: String(httpPort),
    TANGAZA_OPERATOR_PORT: String(operatorPort),
    TANGAZA_RTMP_HOST: host,
    TANGAZA_RTMP_PORT: String(rtmpPort),
    TANGAZA_NATS_URL: natsUrl,
    TANGAZA_DATA_DIR: dataDir,
    TANGAZA_OPERATOR_TOKEN: token,
    TANGAZA_TOKEN_KEYS: tokenKeys,
  };
}

interface DatabasePlan {
  readonly id: string;
  readonly dataDir: string;
  readonly key: string;
}

/** Starts the region's Cassandra where the demo has one, and makes the demo's stream. @returns what the nodes are told of it */
async function startDatabase(
  site: Site,
  { id, dataDir, key }: DatabasePlan,
): Promise<Record<string, string>> {
  const { options, clock, run } = site;
  if (options.comments !== 'cassandra') {
    await ensureDemoStream(dataDir, key, clock);
    return {};
  }
  const progress = options.onProgress ?? (() => {});
  const { databaseEnv, inRegistry, migrateRegion, placeOfRegion } = await import('./cassandra/region.ts');
  const place = await placeOfRegion(id, dataDir);
  const name = cassandraNameOf(place);
  run(specOfCassandra(place, logFileOf(options, name)));
  progress(`Cassandra of ${id} starts on port ${place.ports.native}: about 15 s`);
  const { address, ports } = place;
  const ask = (ms: number) => askCql(address, ports.native, ms);
  await untilReady({ name, ask, withinMs: cassandraReadyMs }, site);
  progress(
    `Cassandra of ${id} is there; its tables are brought up to date, which takes half a minute the first time`,
  );
  const ran = await migrateRegion(place, clock);
  if (ran.length > 0) progress(`its tables are made: ${ran.join(', ')}`);
  await inRegistry(place, clock, (registry) => ensureStream(registry, key, clock));
  return databaseEnv(place);
}

/** Makes the demo's stream, or gives it this key. If somebody deleted it, it is there again. @throws TangazaError as the registry */
export async function ensureDemoStream(dataDir: string, key: string, clock: Clock): Promise<void> {
  const registry = await openStreamRegistry(dataDir, clock);
  try {
    await ensureStream(registry, key, clock);
  } finally {
    await registry.close();
  }
}

async function ensureStream(registry: StreamRegistry, key: string, clock: Clock): Promise<void> {
  const hashed = { keyHash: hashStreamKey(key), keySalt: '' };
  const nowMs = clock.utcMs();
  const fresh = { id: demo.id, title: demo.title, ladder: 'default', nowMs, mayRevive: true, ...hashed };
  if ((await registry.get(demo.id)) === undefined) await registry.create(fresh);
  else await registry.rotateKey(demo.id, hashed, nowMs);
}

interface Awaited {
  /** The name that it must answer with; absent for one that gives none. */
  readonly as?: string;
  readonly ask: (timeoutMs: number) => Promise<Answer>;
  readonly name: string;
  /** By default as the options say. */
  readonly withinMs?: number;
}

/** @throws UnusableError when another program answers on its port; Error when it does not answer in time */
async function untilReady(awaited: Awaited, { options, clock, signal }: Site): Promise<void> {
  const { name, as, ask } = awaited;
  const withinMs = options.readyWithinMs ?? awaited.withinMs ?? usualReadyMs;
  const deadlineMs = clock.monotonicMs() + withinMs;
  while (clock.monotonicMs() < deadlineMs) {
    signal.throwIfAborted();
    const answer = await ask(withinMs);
    if (isOther(answer, as))
      throw new UnusableError(
        `another program answers on the port of ${name}: stop it, or choose other ports with --port-base`,
      );
    if (answer.kind === 'somebody' && answer.status === 200) return;
    await clock.sleep(100, signal).catch(() => {});
  }
  throw new Error(`${name} is not ready after ${withinMs / 1000} s: see ${logFileOf(options, name)}`);
}

/** It gives another name, or answers well without a name. */
function isOther(answer: Answer, as: string | undefined): boolean {
  if (as === undefined || answer.kind === 'nobody' || answer.as === as) return false;
  return answer.as !== undefined || answer.status === 200;
}
