/** The demo cluster: real processes on this machine. `tangaza up` and the cluster tests run this same code. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashStreamKey } from '../../actors/control/stream-key.ts';
import { openSqliteStreamRegistry } from '../../actors/control/stream-registry.sqlite.ts';
import { loadSecrets, type Secrets } from '../../config/secrets.disk.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { assertPortIsFree, freePort } from './free-port.system.ts';
import { supervise, type SupervisedProcess } from './supervised-process.system.ts';
import { publisherArguments } from './test-publisher.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const host = '127.0.0.1';
const demo = { id: StreamId.parse('demo'), title: 'Tangaza demo', keyWithoutPublisher: 'demo-key' };
const usualReadyMs = 30_000;
const usualStopMs = 10_000;

export interface DemoOptions {
  readonly regions: number;
  /** Nodes in each region. */
  readonly nodes: number;
  readonly hasPublisher: boolean;
  readonly store: 'disk' | 's3';
  /** Edge of node i listens on portBase + i, its RTMP on rtmpBase + i; 0 takes free ports (tests). */
  readonly portBase: number;
  readonly rtmpBase: number;
  readonly dataDir: string;
  /** Added to every node's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** By what URL a node reaches NATS, where a test stands in between. */
  readonly natsOf?: (node: string, natsUrl: string) => Promise<string>;
  /** How long its parts may take until they answer; default 30 s. */
  readonly readyWithinMs?: number;
  /** How long a process may take to end when it is told to, before it is killed; default 10 s. Nodes: `TANGAZA_STOP_SECONDS`, too. */
  readonly stopWithinMs?: number;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface DemoNode {
  readonly region: string;
  readonly node: string;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** `rtmp://127.0.0.1:1935/live` */
  readonly rtmp: string;
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
}

/** Starts everything in order and waits until each part answers; stops what it started when it cannot. */
export async function startDemoCluster(
  options: DemoOptions,
  clock: Clock = systemClock,
): Promise<DemoCluster> {
  const started: SupervisedProcess[] = [];
  const stopAll = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    return await startParts(options, clock, started, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function startParts(
  options: DemoOptions,
  clock: Clock,
  started: SupervisedProcess[],
  stopAll: () => Promise<void>,
): Promise<DemoCluster> {
  const progress = options.onProgress ?? (() => {});
  mkdirSync(options.dataDir, { recursive: true });
  const secrets = loadSecrets(join(options.dataDir, 'region-1'));
  const key = options.hasPublisher ? secrets.demoKey : demo.keyWithoutPublisher;
  const regions: DemoRegion[] = [];
  for (let index = 0; index < options.regions; index += 1) {
    regions.push(await startRegion({ options, clock, started, secrets, index, key }));
  }
  const nodes = regions.flatMap((region) => region.nodes);
  await Promise.all(
    nodes.map(async (node) => {
      await waitUntilOk(`${node.url}/readyz`, node.process.name, options, clock);
      progress(`${node.node} is ready: ${node.url}, ${node.rtmp}`);
    }),
  );
  const publisher = options.hasPublisher ? startPublisher(options, nodes, key, clock) : undefined;
  if (publisher !== undefined) {
    started.push(publisher);
    progress('waiting for the first segments of the test publisher');
    await waitUntilOk(`${nodes[0]?.url}/live/${demo.id}/main.m3u8`, publisher.name, options, clock);
  }
  return {
    regions,
    nodes,
    publisher,
    token: secrets.operatorToken,
    stream: { id: demo.id, key },
    [Symbol.asyncDispose]: stopAll,
  };
}

interface RegionContext {
  readonly options: DemoOptions;
  readonly clock: Clock;
  readonly started: SupervisedProcess[];
  readonly secrets: Secrets;
  readonly index: number;
  readonly key: string;
}

async function startRegion({
  options,
  clock,
  started,
  secrets,
  index,
  key,
}: RegionContext): Promise<DemoRegion> {
  const id = `region-${index + 1}`;
  const dataDir = join(options.dataDir, id);
  mkdirSync(dataDir, { recursive: true });
  ensureDemoStream(join(dataDir, 'tangaza.sqlite'), key, clock);
  const run = (process: SupervisedProcess): SupervisedProcess => {
    started.push(process);
    process.start();
    return process;
  };
  const natsPort = await freePort();
  const nats = run(supervise(natsSpec(options, id, dataDir, natsPort), clock));
  options.onProgress?.(`nats-server of ${id} starts on port ${natsPort}`);
  const s3Port = options.store === 's3' ? await freePort() : 0;
  const objectStore =
    options.store === 's3'
      ? run(supervise(objectStoreSpec(options, { region: id, dataDir }, s3Port, secrets), clock))
      : undefined;
  if (objectStore !== undefined) options.onProgress?.(`VersityGW of ${id} (S3) starts on port ${s3Port}`);
  const natsUrl = `nats://${host}:${natsPort}`;
  const nodes: DemoNode[] = [];
  for (let i = 0; i < options.nodes; i += 1) {
    const ordinal = index * options.nodes + i;
    const httpPort = options.portBase === 0 ? await freePort() : options.portBase + ordinal;
    const rtmpPort = options.rtmpBase === 0 ? await freePort() : options.rtmpBase + ordinal;
    await assertPortIsFree(httpPort, '--port-base');
    await assertPortIsFree(rtmpPort, '--rtmp-base');
    const node = `${id}-node-${i + 1}`;
    const env = {
      ...nodeEnv({
        ...{ region: id, node, httpPort, rtmpPort, dataDir, token: secrets.operatorToken },
        natsUrl: (await options.natsOf?.(node, natsUrl)) ?? natsUrl,
      }),
      ...storeEnv(options.store, s3Port, secrets),
      ...options.env,
    };
    const process = run(supervise(nodeSpec(options, node, env), clock));
    nodes.push({
      region: id,
      node,
      url: `http://${host}:${httpPort}`,
      rtmp: `rtmp://${host}:${rtmpPort}/live`,
      process,
    });
  }
  return { id, dataDir, nats, natsUrl, objectStore, nodes };
}

export interface NodeSite {
  readonly region: string;
  readonly node: string;
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly natsUrl: string;
  /** The region's: its nodes on this machine share it. */
  readonly dataDir: string;
  readonly token: string;
}

/** What `tangaza node` must be told to be that node of a demo cluster. */
export function nodeEnv({ region, node, httpPort, rtmpPort, natsUrl, dataDir, token }: NodeSite) {
  return {
    TANGAZA_NODE_ID: node,
    TANGAZA_REGION: region,
    TANGAZA_HTTP_HOST: host,
    TANGAZA_HTTP_PORT: String(httpPort),
    TANGAZA_RTMP_HOST: host,
    TANGAZA_RTMP_PORT: String(rtmpPort),
    TANGAZA_NATS_URL: natsUrl,
    TANGAZA_DATA_DIR: dataDir,
    TANGAZA_OPERATOR_TOKEN: token,
  };
}

/** Makes the demo's stream, or gives it this key; one that somebody deleted is there again. */
export function ensureDemoStream(file: string, key: string, clock: Clock): void {
  const registry = openSqliteStreamRegistry(file);
  const hashed = { keyHash: hashStreamKey(key), keySalt: '' };
  const nowMs = clock.utcMs();
  if (registry.get(demo.id) === undefined)
    registry.create({ id: demo.id, title: demo.title, ladder: 'default', nowMs, mayRevive: true, ...hashed });
  else registry.rotateKey(demo.id, hashed, nowMs);
  registry.close();
}

const logFile = (options: DemoOptions, name: string): string => join(options.dataDir, 'logs', `${name}.log`);

function natsSpec(options: DemoOptions, region: string, dataDir: string, port: number) {
  const name = `${region}-nats`;
  return {
    name,
    command: tool('nats-server'),
    args: () => ['-a', host, '-p', String(port), '-js', '-sd', join(dataDir, 'nats'), '-n', name],
    logFile: logFile(options, name),
    stopTimeoutMs: options.stopWithinMs ?? usualStopMs,
  };
}

function objectStoreSpec(
  options: DemoOptions,
  { region, dataDir }: { region: string; dataDir: string },
  port: number,
  secrets: Secrets,
) {
  const name = `${region}-s3`;
  const folder = join(dataDir, 's3');
  mkdirSync(folder, { recursive: true });
  return {
    name,
    command: tool('versitygw'),
    args: () => ['--port', `${host}:${port}`, 'posix', folder],
    env: { ROOT_ACCESS_KEY: 'tangaza', ROOT_SECRET_KEY: secrets.streamKeySecret },
    logFile: logFile(options, name),
    stopTimeoutMs: options.stopWithinMs ?? usualStopMs,
  };
}

function storeEnv(store: 'disk' | 's3', port: number, secrets: Secrets): Record<string, string> {
  if (store === 'disk') return {};
  return {
    TANGAZA_STORE: 's3',
    TANGAZA_S3_ENDPOINT: `http://${host}:${port}`,
    TANGAZA_S3_ACCESS_KEY: 'tangaza',
    TANGAZA_S3_SECRET_KEY: secrets.streamKeySecret,
  };
}

function nodeSpec(options: DemoOptions, name: string, env: Record<string, string>) {
  return {
    name,
    command: process.execPath,
    args: () => [join(root, 'scripts/tangaza.ts'), 'node'],
    env,
    logFile: logFile(options, name),
    stopTimeoutMs: options.stopWithinMs ?? usualStopMs,
  };
}

/** Publishes to the first two nodes, as an encoder does that must not be lost with one of them (C2). */
function startPublisher(
  options: DemoOptions,
  nodes: readonly DemoNode[],
  key: string,
  clock: Clock,
): SupervisedProcess {
  const args = publisherArguments({
    urls: nodes.slice(0, 2).map(({ rtmp }) => `${rtmp}/${key}`),
    width: 1280,
    height: 720,
    framesPerSecond: 25,
    bitrateKbps: 2500,
  });
  const spec = {
    name: 'publisher',
    command: 'ffmpeg',
    args: () => args,
    logFile: logFile(options, 'publisher'),
    stopTimeoutMs: 3000,
  };
  const publisher = supervise(spec, clock);
  publisher.start();
  return publisher;
}

async function waitUntilOk(url: string, name: string, options: DemoOptions, clock: Clock): Promise<void> {
  const withinMs = options.readyWithinMs ?? usualReadyMs;
  const deadlineMs = clock.monotonicMs() + withinMs;
  while (clock.monotonicMs() < deadlineMs) {
    options.signal?.throwIfAborted();
    const reply = await fetch(url, { signal: AbortSignal.timeout(withinMs) }).catch(() => undefined);
    await reply?.arrayBuffer().catch(() => undefined);
    if (reply?.ok === true) return;
    await clock.sleep(100, options.signal);
  }
  throw new Error(`${name} is not ready after ${withinMs / 1000} s: see ${logFile(options, name)}`);
}

/** A tool that set-up put beside us, or the one on PATH. */
function tool(name: string): string {
  const own = join(root, '.toolchain/bin', name);
  return existsSync(own) ? own : name;
}
