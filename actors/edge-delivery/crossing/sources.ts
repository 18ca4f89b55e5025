/** Decides which edges of other regions are asked for an object, and what their answers mean together (R5). */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import { head } from '../../../cluster/partition/rendezvous.ts';

/** How many edges of the home are asked, and how many of each further region. */
const ofHome = 3;
const ofOthers = 2;
const mostSources = 8;

export interface SourceHints {
  readonly home: RegionId | undefined;
  /** Whether the edge has not answered lately. */
  readonly isSilent?: (edge: EdgeElsewhere) => boolean;
}

/**
 * The edges to ask, one after the other: those of the home, then those of other regions; in each by rendezvous on the object's name, so that
 * no edge serves all objects. Those that have not answered lately come behind the others of their region.
 */
export function sourcesFor(
  name: string,
  edges: readonly EdgeElsewhere[],
  { home, isSilent = () => false }: SourceHints,
): readonly EdgeElsewhere[] {
  const regions = [...new Set(edges.map(({ region }) => region))].toSorted(
    (left, right) => Number(right === home) - Number(left === home),
  );
  const sources = regions.flatMap((region) => {
    const all = edges.filter((edge) => edge.region === region);
    const sound = all.filter(({ isSound }) => isSound);
    const asked = sound.length === 0 ? all : sound;
    const count = region === home ? ofHome : ofOthers;
    const silent = asked.filter(isSilent);
    const answering = asked.filter((edge) => !silent.includes(edge));
    return [...firsts(name, answering, count), ...firsts(name, silent, count)].slice(0, count);
  });
  return sources.slice(0, mostSources);
}

function firsts(name: string, edges: readonly EdgeElsewhere[], count: number): readonly EdgeElsewhere[] {
  const members = edges.map((edge) => ({ id: edge.node, weight: 1, edge }));
  return head(name, members, count).map(({ edge }) => edge);
}

/** Who was asked for an object, and what came of it. */
export interface Asked {
  /** The regions that said that they have it not. */
  readonly lacking: ReadonlySet<RegionId>;
  readonly sources: readonly EdgeElsewhere[];
  /** All other regions of the deployment, those that cannot be reached too. */
  readonly regions: readonly RegionId[];
  readonly home: RegionId | undefined;
}

/**
 * Whether nobody has the object. The home's word counts, with that of whoever else can be asked. Without a home elsewhere every other region
 * must have said so: one that cannot be reached may have it.
 */
export function isNowhere({ lacking, sources, regions, home }: Asked): boolean {
  const asked = sources.map(({ region }) => region);
  const deciding = home !== undefined && regions.includes(home) ? [home] : regions;
  return [...asked, ...deciding].every((region) => lacking.has(region));
}
