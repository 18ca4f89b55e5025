/** Starts a region of a demo: a nats-server, a segment store and nodes of its own, in a data folder of its own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Secrets } from '../../../config/secrets.disk.ts';
import { askNats } from '../answers.system.ts';
import { freePort } from '../free-port.system.ts';
import { operatorPortOf, placedNodes, type PlacedNode } from '../ports.ts';
import { withoutUseless } from '../settings.ts';
import { host, tokenKeysOf, type DataCentre, type DemoNode, type DemoRegion, type Site } from '../site.ts';
import { specOfNats, specOfNode, specOfObjectStore, storeEnv } from '../specs.ts';
import { untilReady } from './until-ready.ts';

export interface RegionPlan {
  readonly id: string;
  readonly natsPort: number;
  /** What describes the regions; undefined where it is the only one. */
  readonly regionsFile: string | undefined;
  /** The file of secrets that all regions share. */
  readonly secretsFile: string;
  readonly secrets: Secrets;
  /** Its data centre of Cassandra, where the demo has one. */
  readonly dataCentre: DataCentre | undefined;
}

/** @returns once its nats-server answers; its nodes are starting */
export async function startRegion(
  site: Site,
  { id, natsPort, regionsFile, secretsFile, secrets, dataCentre }: RegionPlan,
): Promise<DemoRegion> {
  const { options, run } = site;
  const dataDir = join(options.dataDir, id);
  mkdirSync(dataDir, { recursive: true });
  const nats = run(specOfNats(options, id, { dataDir, port: natsPort }));
  options.onProgress?.(`nats-server of ${id} starts on port ${natsPort}`);
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
  const placed = await withHttpPorts(site, id);
  const before = await options.before?.(id, dataDir);
  const tunnelEnv = await tunnelEnvOf(site, id, placed);
  for (const { ordinal, node, httpPort } of placed) {
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
        regionsFile,
        secretsFile,
        token: secrets.operatorToken,
        tokenKeys: tokenKeysOf(options),
        natsUrl: (await options.natsOf?.(node, natsUrl)) ?? natsUrl,
      }),
      ...(objectStore === undefined ? {} : storeEnv(s3Port, keys)),
      ...dataCentre?.env,
      ...tunnelEnv,
      ...options.env,
      ...(await options.envOf?.(node, httpPort)),
    };
    nodes.push({
      region: id,
      node,
      url: `http://${host}:${httpPort}`,
      rtmp: `rtmp://${host}:${rtmpPort}/live`,
      process: run(specOfNode(options, node, env, before)),
      operator: `http://${host}:${operatorPort}`,
    });
  }
  return { id, dataDir, nats, regionsFile, natsUrl, objectStore, dataCentre, nodes };
}

interface PlacedEdge extends PlacedNode {
  readonly httpPort: number;
}

async function withHttpPorts({ options }: Site, region: string): Promise<readonly PlacedEdge[]> {
  const placed = placedNodes(options).filter((one) => one.region === region);
  const ports = placed.map(({ ordinal }) =>
    options.portBase === 0 ? freePort() : Promise.resolve(options.portBase + ordinal),
  );
  const httpPorts = await Promise.all(ports);
  return placed.map((one, index) => ({ ...one, httpPort: httpPorts[index] ?? 0 }));
}

/** Makes a region's nodes reach the edges of other regions through the links, and their own neighbours directly. */
async function tunnelEnvOf(
  { options: { links, regions } }: Site,
  region: string,
  edges: readonly PlacedEdge[],
): Promise<Readonly<Record<string, string>>> {
  if (links === undefined || regions === 1) return {};
  for (const { httpPort } of edges) links.edgeIs(region, httpPort);
  return {
    NODE_USE_ENV_PROXY: '1',
    http_proxy: await links.tunnelsOf(region),
    no_proxy: edges.map(({ httpPort }) => `${host}:${httpPort}`).join(),
  };
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
  /** With several regions: what describes them, and the secrets that they share. */
  readonly regionsFile: string | undefined;
  readonly secretsFile: string;
  readonly token: string;
  /** The file of the keys that sign tokens, one for all regions. */
  readonly tokenKeys: string;
}

/** The environment with which `tangaza node` becomes that node of a demo cluster. */
export function nodeEnv(site: NodeSite) {
  const { region, node, httpPort, rtmpPort, operatorPort } = site;
  const { natsUrl, dataDir, regionsFile, secretsFile, token, tokenKeys } = site;
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
    ...(regionsFile === undefined ? {} : { TANGAZA_REGIONS: regionsFile, TANGAZA_SECRETS: secretsFile }),
  };
}
