/**
 * Who may import whom, as data, and the checker that holds it against the code.
 *
 * A file's place is its area, its folder, and its technology: `cluster/nats/connection.nats.ts` is in
 * `cluster/nats` and its technology is `nats`. A file without a technology is pure.
 */
import { packageOf, resolveImport, specifiersOf } from './imports.ts';
import type { Finding, SourceFile } from './tree.ts';

interface Place {
  readonly area: string;
  /** The folder within the area: the actor under `actors/`, the part under `cluster/`. */
  readonly folder: string;
  readonly technology: string | undefined;
}

/** What a row allows. Without `any` or `same`, pure files only. */
type Target =
  | 'anything'
  | 'own' // the same folder
  | 'own any' // the same folder, with its shells
  | 'same technology' // shells of `cluster/` that adapt the same library
  | `config${'' | ' any'}`
  | `cluster${'' | ' any' | '/model' | '/errors' | '/contract' | '/time'}`
  | `actors/media${'' | ' any'}`
  | `actors/segment-store${'' | ' any'}`;

interface Row {
  readonly who: string;
  readonly holds: (place: Place) => boolean;
  readonly may: readonly Target[];
}

const libraries = ['media', 'segment-store'];
const isActor = ({ area, folder }: Place): boolean => area === 'actors' && !libraries.includes(folder);
const isPure = ({ technology }: Place): boolean => technology === undefined;
const isComposition = ({ technology }: Place): boolean => technology === 'composition';
const isIn = (area: string, folder?: string) => (place: Place) =>
  place.area === area && (folder === undefined || place.folder === folder);

/** The table. The first row that holds a file decides. */
export const importTable: readonly Row[] = [
  { who: 'the composition root', holds: isIn('.'), may: ['anything'] },
  { who: 'a test', holds: isIn('test'), may: ['anything'] },
  { who: 'a script', holds: isIn('scripts'), may: ['anything'] },
  {
    who: 'a pure file of config',
    holds: (place) => place.area === 'config' && isPure(place),
    may: ['config', 'cluster/model', 'cluster/errors', 'cluster/contract'],
  },
  { who: 'a shell of config', holds: isIn('config'), may: ['config any', 'cluster'] },
  {
    who: 'a pure file of cluster',
    holds: (place) => place.area === 'cluster' && isPure(place),
    may: ['cluster'],
  },
  {
    // It opens what each node needs of its cluster.
    who: "the cluster's composition file",
    holds: (place) => place.area === 'cluster' && isComposition(place),
    may: ['cluster any'],
  },
  { who: 'a shell of cluster', holds: isIn('cluster'), may: ['cluster', 'own any', 'same technology'] },
  {
    who: 'actors/media',
    holds: isIn('actors', 'media'),
    may: ['own any', 'cluster/model', 'cluster/errors', 'cluster/contract'],
  },
  { who: 'actors/segment-store', holds: isIn('actors', 'segment-store'), may: ['own any', 'cluster'] },
  {
    // It builds one actor from the node's parts: there the shells of this actor meet those of the libraries and of the cluster.
    who: "an actor's composition file",
    holds: (place) => isActor(place) && isComposition(place),
    may: ['own any', 'actors/media any', 'actors/segment-store any', 'cluster any', 'config'],
  },
  {
    who: 'a service',
    holds: (place) => isActor(place) && place.technology === 'service',
    may: ['own', 'cluster'],
  },
  {
    who: 'a pure file of an actor',
    holds: (place) => isActor(place) && isPure(place),
    may: ['own', 'actors/media', 'actors/segment-store', 'cluster'],
  },
  {
    who: 'a technology file of an actor',
    holds: isActor,
    may: ['own any', 'actors/media', 'actors/segment-store', 'cluster', 'same technology'],
  },
];

/** The library that each technology adapts; Node's own modules and zod are open to every shell. */
const technologies: Readonly<Record<string, readonly string[]>> = {
  service: ['moleculer'],
  composition: [],
  moleculer: ['moleculer'],
  nats: ['@nats-io/transport-node', '@nats-io/jetstream', '@nats-io/kv', '@nats-io/nats-core'],
  s3: ['@aws-sdk/client-s3', '@smithy/node-http-handler'],
  cassandra: ['cassandra-driver'],
  sqlite: [],
  disk: [],
  system: [],
  http: [],
  uws: ['uWebSockets.js'],
  ffmpeg: ['fluent-ffmpeg'],
  rtmp: ['node-media-server'],
  webrtc: ['node-datachannel'],
  jose: ['jose'],
  mediabunny: ['mediabunny'],
  pino: ['pino'],
  prometheus: ['prom-client'],
  rolldown: ['rolldown'],
  browser: ['shaka-player', 'hls.js', 'media-chrome', 'swagger-ui-dist'],
};

/** Node's modules that neither read nor change anything outside of the process. */
const pureModules = ['assert', 'buffer', 'crypto', 'events', 'path', 'url', 'util', 'zlib'].map(
  (name) => `node:${name}`,
);
const pureLibraries = ['zod', ...pureModules];

/** Every import that the table does not allow. */
export function checkImports(files: readonly SourceFile[]): readonly Finding[] {
  return files.flatMap((file) =>
    specifiersOf(file).flatMap((specifier) => checkImport(file.path, specifier)),
  );
}

function checkImport(path: string, specifier: string): readonly Finding[] {
  const from = placeOf(path);
  const row = importTable.find(({ holds }) => holds(from));
  if (row === undefined) return [`${path}: lies outside of the layout, so it may import nothing`];
  const target = resolveImport(path, specifier);
  if (target === undefined) return checkLibrary(path, from, row, packageOf(specifier));
  const to = placeOf(target);
  if (row.may.some((allowed) => isAllowed(allowed, from, to))) return [];
  return [`${path}: ${row.who} may not import ${target} (may: ${row.may.join(', ')})`];
}

function checkLibrary(path: string, from: Place, row: Row, library: string): readonly Finding[] {
  if (row.may.includes('anything')) return [];
  if (from.technology === undefined) {
    const isMedia = from.area === 'actors' && from.folder === 'media'; // mediabunny is pure TypeScript
    if (pureLibraries.includes(library) || (isMedia && library === 'mediabunny')) return [];
    return [`${path}: a pure file may not import ${library} (may: ${pureLibraries.join(', ')})`];
  }
  const adapts = technologies[from.technology];
  if (adapts === undefined) return [`${path}: '.${from.technology}.ts' is no technology of the table`];
  if (library.startsWith('node:') || library === 'zod' || adapts.includes(library)) return [];
  return [
    `${path}: a '.${from.technology}.ts' file may not import ${library} (may: ${adapts.join(', ') || 'none'})`,
  ];
}

function isAllowed(target: Target, from: Place, to: Place): boolean {
  switch (target) {
    case 'anything':
      return true;
    case 'own':
      return isNeighbour(from, to) && isPure(to);
    case 'own any':
      return isNeighbour(from, to);
    case 'same technology':
      return to.area === 'cluster' && to.technology === from.technology;
    default: {
      const [where = '', any] = target.split(' ');
      const [area, folder] = where.split('/');
      return (
        to.area === area && (folder === undefined || to.folder === folder) && (isPure(to) || any === 'any')
      );
    }
  }
}

function isNeighbour(from: Place, to: Place): boolean {
  return from.area === to.area && from.folder === to.folder;
}

export function placeOf(path: string): Place {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  const [area = '.', folder = ''] = parts;
  const suffixes = name.split('.').slice(1, -1);
  return { area, folder, technology: suffixes.at(-1) };
}
