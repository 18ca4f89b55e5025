/** Decides which edges of other regions are asked for an object, and what their answers mean together (R5). */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import { head } from '../../../cluster/partition/rendezvous.ts';

/** How many edges of the home are asked, and how many of each further region. */
const ofHome = 3;
const ofOthers = 2;
const mostSources = 8;

/**
 * The edges to ask, one after the other: those of the home, then those of other regions; in each by rendezvous on the object's name, so that
 * no edge serves all objects.
 */
export function sourcesFor(
  name: string,
  edges: readonly EdgeElsewhere[],
  home: RegionId | undefined,
): readonly EdgeElsewhere[] {
  const regions = [...new Set(edges.map(({ region }) => region))].toSorted(
    (left, right) => Number(right === home) - Number(left === home),
  );
  const sources = regions.flatMap((region) => {
    const all = edges.filter((edge) => edge.region === region);
    const sound = all.filter(({ isSound }) => isSound);
    const members = (sound.length === 0 ? all : sound).map((edge) => ({ id: edge.node, weight: 1, edge }));
    return head(name, members, region === home ? ofHome : ofOthers).map(({ edge }) => edge);
  });
  return sources.slice(0, mostSources);
}

/**
 * Whether nobody has the object. The home's word counts; without a home elsewhere, that of all regions that can be asked.
 *
 * @param lacking the regions that said that they have it not
 */
export function isNowhere(
  lacking: ReadonlySet<RegionId>,
  sources: readonly EdgeElsewhere[],
  home: RegionId | undefined,
): boolean {
  const asked = sources.map(({ region }) => region);
  return [...asked, ...(home === undefined ? [] : [home])].every((region) => lacking.has(region));
}
