/** Reads the file of the regions, and the files that it names for connections to the other regions (R1). */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { topologyOfOne, type Region, type Topology } from '../cluster/region/topology/topology.ts';
import { parseTopology } from '../cluster/region/topology/topology-file.ts';
import { ConfigError, type NodeConfig } from './config.ts';
import { regionNamed } from '../cluster/model/region-words.ts';

const mostBytes = 1_048_576;

type Settings = Pick<NodeConfig, 'region' | 'regionsFile' | 'secretsFile' | 'tokenKeysFile'>;

/** @returns one region alone where no file is named @throws ConfigError with every fault of the file, and of what must go with it */
export function loadTopology(config: Settings): Topology {
  const { regionsFile, region: own } = config;
  if (regionsFile === undefined) return topologyOfOne(own);
  const read = readText(regionsFile);
  if ('fault' in read) throw new ConfigError([`TANGAZA_REGIONS: ${regionsFile} ${read.fault}`]);
  const parsed = parseTopology(read.text, { own, folder: dirname(resolve(regionsFile)) });
  if ('faults' in parsed)
    throw new ConfigError(parsed.faults.map((fault) => `TANGAZA_REGIONS: ${regionsFile}: ${fault}`));
  const others = parsed.regions.filter(({ id }) => id !== own);
  const faults = [
    ...others.flatMap(filesOf).flatMap(fileFaults),
    ...(others.length > 0 ? sharedFaults(config) : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return parsed;
}

/** What one region makes for itself is strange to the others: keys of streams, guests and cursors are good in all of them. */
function sharedFaults({ secretsFile, tokenKeysFile }: Settings): readonly string[] {
  return [
    ...(secretsFile === undefined
      ? ['TANGAZA_SECRETS: several regions share one file of secrets: name it, the same on every node']
      : []),
    ...(tokenKeysFile === undefined
      ? [
          'TANGAZA_TOKEN_KEYS: a region must know the keys that sign the tokens of the others: name the file of keys, see config/README.md',
        ]
      : []),
  ];
}

interface NamedFile {
  readonly what: string;
  readonly file: string;
  readonly isPem: boolean;
}

function filesOf({ id, gateway: { tls, credentialsFile } }: Region): readonly NamedFile[] {
  const named = [
    { what: 'ca', file: tls?.caFile, isPem: true },
    { what: 'cert', file: tls?.certFile, isPem: true },
    { what: 'key', file: tls?.keyFile, isPem: true },
    { what: 'credentials', file: credentialsFile, isPem: false },
  ];
  return named.flatMap(({ what, file, isPem }) =>
    file === undefined ? [] : [{ what: `the ${what} of ${regionNamed(id)}`, file, isPem }],
  );
}

function fileFaults({ what, file, isPem }: NamedFile): readonly string[] {
  const read = readText(file);
  if ('fault' in read) return [`TANGAZA_REGIONS: ${what}: ${file} ${read.fault}`];
  if (read.text.trim() === '') return [`TANGAZA_REGIONS: ${what}: ${file} is empty`];
  return isPem && !read.text.includes('-----BEGIN ')
    ? [`TANGAZA_REGIONS: ${what}: ${file} is no PEM file: it has no line that begins with -----BEGIN`]
    : [];
}

function readText(file: string): { readonly text: string } | { readonly fault: string } {
  try {
    const { size } = statSync(file);
    return size > mostBytes
      ? { fault: `has ${size} bytes, and may have ${mostBytes}` }
      : { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { fault: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}
