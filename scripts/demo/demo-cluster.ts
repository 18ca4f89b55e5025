/** Starts the demo cluster: real processes on this machine. `tangaza up` and the cluster tests run this same code. */
import { join } from 'node:path';
import { RegionId, type StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { lockFolder, type FolderLock } from '../../config/folder-lock.sqlite.ts';
import { loadSecrets, secretsFileIn } from '../../config/secrets.disk.ts';
import { ensureTokenKeys } from '../../config/token-keys.disk.ts';
import { UnusableError } from '../../config/unusable.ts';
import { askHttp } from './answers.system.ts';
import { startDatabase } from './parts/database.ts';
import { demo } from './parts/demo-stream.ts';
import { endLeftovers } from './leftovers.system.ts';
import { freePort } from './free-port.system.ts';
import { regionsOf } from './ports.ts';
import { lookAtPorts } from './preflight.system.ts';
import type { ProcessEvent } from './process-event.ts';
import { startRegion } from './parts/region.ts';
import { leftoversIn, RunningFile } from './running-demo.disk.ts';
import { writeTopologies, type RegionServer } from './parts/topology.ts';
import { host, tokenKeysOf, type DemoNode, type DemoOptions, type DemoRegion, type Site } from './site.ts';
import { publisherSpec } from './specs.ts';
import { stopAll, supervise, type SupervisedProcess } from './supervised-process.system.ts';
import { untilReady } from './parts/until-ready.ts';

export interface DemoCluster extends AsyncDisposable {
  readonly regions: readonly DemoRegion[];
  readonly nodes: readonly DemoNode[];
  readonly publisher: SupervisedProcess | undefined;
  readonly token: string;
  readonly stream: { readonly id: StreamId; readonly key: string };
  /** Resolves when a node ends because it cannot work with its settings. */
  readonly refused: Promise<UnusableError>;
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
  const ids = regionsOf(options);
  // Of the first region, which is there from the first start on.
  const secretsFile = secretsFileIn(join(options.dataDir, ids[0]));
  const secrets = loadSecrets(join(options.dataDir, ids[0]));
  const key = options.hasPublisher ? secrets.demoKey : demo.keyWithoutPublisher;
  ensureTokenKeys(
    tokenKeysOf(options),
    ids.map((id) => RegionId.parse(id)),
  );
  const centres = await startDatabase(site, ids, key);
  const places = await placesOf(ids);
  const files = await writeTopologies(options, places);
  const regions: DemoRegion[] = [];
  for (const { id, natsPort } of places) {
    const common = { id, natsPort, secretsFile, secrets };
    regions.push(
      await startRegion(site, { ...common, regionsFile: files.get(id), dataCentre: centres.get(id) }),
    );
  }
  const nodes = regions.flatMap((region) => region.nodes);
  await Promise.all(nodes.map((node) => untilNodeReady(site, node)));
  const publisher = options.hasPublisher ? await publish(site, regions[0]?.nodes ?? [], key) : undefined;
  return { regions, nodes, publisher, token: secrets.operatorToken, stream: { id: demo.id, key } };
}

/** Where the NATS server of each region will be: all nodes are told before the first one starts. */
async function placesOf(
  ids: readonly string[],
): Promise<readonly (RegionServer & { readonly natsPort: number })[]> {
  const places = [];
  for (const id of ids) {
    const natsPort = await freePort();
    places.push({ id, natsPort, natsUrl: `nats://${host}:${natsPort}` });
  }
  return places;
}

async function untilNodeReady(site: Site, { node, url, rtmp }: DemoNode): Promise<void> {
  await untilReady({ name: node, as: node, ask: (ms) => askHttp(`${url}/readyz`, ms) }, site);
  site.options.onProgress?.(`${node} is ready: ${url}, ${rtmp}`);
}

/**
 * Publishes to two nodes, and waits for the first segments.
 *
 * @param nodes of one region: what is published in another one is a broadcast of its own
 */
async function publish(site: Site, nodes: readonly DemoNode[], key: string): Promise<SupervisedProcess> {
  const { options, run } = site;
  const urls = nodes.slice(0, 2).map(({ rtmp }) => `${rtmp}/${key}`);
  const publisher = run(publisherSpec(options, urls));
  options.onProgress?.('waiting for the first segments of the test publisher');
  const playlist = `${nodes[0]?.url}/live/${demo.id}/main.m3u8`;
  await untilReady({ name: publisher.name, ask: (ms) => askHttp(playlist, ms) }, site);
  return publisher;
}
