/** Reads the description of the regions that all nodes of a deployment share, and says everything that is wrong with it (R1). */
import { resolve } from 'node:path';
import { z } from 'zod';
import { given, sentenceOf } from '../../errors/input-sentences.ts';
import { RegionId } from '../../model/ids.ts';
import { highestOrdinal, type GatewayAccess, type Region, type Topology } from './topology.ts';

const mostServers = 9;

const fileName = z.string().min(1).max(1000);
const natsUrl = z.string().superRefine((text, context) => {
  const fault = natsUrlFault(text);
  if (fault !== undefined)
    context.addIssue({ code: 'custom', message: `${fault}; ${given(text)} was given` });
});
const Gateway = z.strictObject({
  nats: z.array(natsUrl).max(mostServers).default([]),
  ca: fileName.optional(),
  cert: fileName.optional(),
  key: fileName.optional(),
  credentials: fileName.optional(),
});
const RegionEntry = z.strictObject({
  id: RegionId,
  ordinal: z.number().int().min(0).max(highestOrdinal),
  gateway: Gateway.default({ nats: [] }),
  position: z
    .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
    .optional(),
  weight: z.number().positive().max(1000).default(1),
});
const TopologyFile = z.strictObject({
  version: z.number().int().min(1),
  regions: z
    .array(RegionEntry)
    .min(1)
    .max(highestOrdinal + 1),
});

/** What is looked at in an entry together with others, or with its own other fields, whatever is wrong with the rest of it. */
const Loose = z
  .object({
    id: z.string().optional().catch(undefined),
    ordinal: z.number().optional().catch(undefined),
    gateway: z
      .object({
        nats: z.array(z.unknown()).default([]),
        ca: z.unknown().optional(),
        cert: z.unknown().optional(),
        key: z.unknown().optional(),
      })
      .default({ nats: [] })
      .catch({ nats: ['whatever it is, it was found wrong'] }),
  })
  .catch({ id: undefined, ordinal: undefined, gateway: { nats: ['whatever it is, it was found wrong'] } });
type Loose = z.infer<typeof Loose>;
const LooseFile = z.object({ regions: z.array(Loose) });

/** Whose file it is, and where it lies. */
export interface TopologyPlace {
  /** Of the node that reads it. */
  readonly own: RegionId;
  /** Names of files are taken from here on. Absolute. */
  readonly folder: string;
}

/** @returns the topology, or every fault at once, each as one sentence that names its place in the file */
export function parseTopology(
  text: string,
  { own, folder }: TopologyPlace,
): Topology | { readonly faults: readonly string[] } {
  const json = jsonOf(text);
  if ('fault' in json) return { faults: [json.fault] };
  const parsed = TopologyFile.safeParse(json.value, { error: sentenceOf });
  const loose = LooseFile.safeParse(json.value).data?.regions ?? [];
  const wrong = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${placeOf(path)}: ${message}`);
  const faults = [...wrong, ...doubles(loose), ...loose.flatMap(gatewayFaults(loose.length))];
  if (loose.length > 0 && !loose.some(({ id }) => id === own)) faults.push(strangeRegion(own, loose));
  if (!parsed.success || faults.length > 0) return { faults };
  const regions = parsed.data.regions.map((region) => regionOf(region, folder));
  return {
    version: parsed.data.version,
    regions: regions.toSorted((left, right) => left.ordinal - right.ordinal),
  };
}

function jsonOf(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { fault: `it is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** `regions[1].gateway.nats[0]`; `the file` for the whole. */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part, index) => {
    if (typeof part === 'number') return `[${part}]`;
    return index === 0 ? String(part) : `.${String(part)}`;
  });
  return parts.length === 0 ? 'the file' : parts.join('');
}

function doubles(regions: readonly Loose[]): readonly string[] {
  return regions.flatMap(({ id, ordinal }, at) => {
    const sameId = id === undefined ? -1 : regions.findIndex((other) => other.id === id);
    const sameOrdinal = ordinal === undefined ? -1 : regions.findIndex((other) => other.ordinal === ordinal);
    return [
      ...(sameId === -1 || sameId === at
        ? []
        : [
            `regions[${at}].id: regions[${sameId}] is ${given(id)} as well: each region has a name of its own`,
          ]),
      ...(sameOrdinal === -1 || sameOrdinal === at
        ? []
        : [
            `regions[${at}].ordinal: regions[${sameOrdinal}] has ${ordinal} as well: each region has one of its own, which it keeps for ever`,
          ]),
    ];
  });
}

const gatewayFaults =
  (count: number) =>
  ({ gateway: { nats, ca, cert, key } }: Loose, at: number): readonly string[] => [
    ...(count > 1 && nats.length === 0
      ? [
          `regions[${at}].gateway.nats: is empty: name the NATS servers by which the other regions reach this one`,
        ]
      : []),
    ...((cert === undefined) === (key === undefined)
      ? []
      : [`regions[${at}].gateway: has only one of cert and key: a client shows both, or none`]),
    ...(cert !== undefined && ca === undefined
      ? [`regions[${at}].gateway: has a cert and no ca: name the file of the authority as well`]
      : []),
  ];

const strangeRegion = (own: RegionId, regions: readonly Loose[]): string =>
  `regions: none is ${given(own)}, the region of this node (TANGAZA_REGION); there are ${regions.map(({ id }) => given(id)).join(', ')}`;

function regionOf(entry: z.infer<typeof RegionEntry>, folder: string): Region {
  const { id, ordinal, gateway, position, weight } = entry;
  return { id, ordinal, gateway: accessOf(gateway, folder), position, weight };
}

function accessOf(
  { nats, ca, cert, key, credentials }: z.infer<typeof Gateway>,
  folder: string,
): GatewayAccess {
  const own = cert === undefined || key === undefined ? {} : pairOf(cert, key, folder);
  return {
    natsUrls: nats,
    tls: ca === undefined ? undefined : { caFile: resolve(folder, ca), ...own },
    credentialsFile: credentials === undefined ? undefined : resolve(folder, credentials),
  };
}

const pairOf = (cert: string, key: string, folder: string) => ({
  certFile: resolve(folder, cert),
  keyFile: resolve(folder, key),
});

const form = 'tls://HOST:4222, or nats:// on this machine';

function natsUrlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^(?:tls|nats):\/\//i.test(text) || url.hostname === '')
    return `must be a URL of NATS: ${form}`;
  if (url.username !== '' || url.password !== '')
    return `must not hold a user or a password, which belong into the file of credentials: ${form}`;
  if (!/^\/?$/.test(url.pathname) || text.includes('?') || text.includes('#'))
    return `must end behind its port: ${form}`;
  if (url.protocol === 'nats:' && !isThisHost(url))
    return `is not encrypted, and everybody on the way could read and write what crosses: ${form}`;
  return undefined;
}

const isThisHost = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
