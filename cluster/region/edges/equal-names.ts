/**
 * Finds edges of several regions that have one id (R1). Players know an edge by its id, so only one of them can be named to viewers: this
 * region's own, or that of the region whose id comes first.
 */
import type { NodeId, RegionId } from '../../model/ids.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import type { EdgeElsewhere } from '../elsewhere.ts';

/** How many ids are said. */
const mostSaid = 3;
const lookEveryMs = 2000;

/** The edges of one id each, in the order of the list. */
export function withoutEqualNames(
  own: readonly NodeId[],
  told: readonly EdgeElsewhere[],
): readonly EdgeElsewhere[] {
  const taken = new Set(own);
  return told.filter(({ node }) => {
    const isFree = !taken.has(node);
    taken.add(node);
    return isFree;
  });
}

/** Undefined where each id is in one region only. */
export function equalNames(
  region: RegionId,
  own: readonly NodeId[],
  told: readonly EdgeElsewhere[],
): string | undefined {
  const regions = new Map<NodeId, readonly RegionId[]>(own.map((id) => [id, [region]]));
  for (const edge of told) regions.set(edge.node, [...(regions.get(edge.node) ?? []), edge.region]);
  const equal = [...regions].filter(([, of]) => of.length > 1);
  if (equal.length === 0) return undefined;
  const named = equal.slice(0, mostSaid).map(([id, of]) => `${id} is in ${of.join(' and ')}`);
  const more = equal.length > mostSaid ? `, and ${equal.length - mostSaid} more` : '';
  return `edges of several regions have one id, so viewers are sent to only one of them (${named.join(', ')}${more}): give each node a TANGAZA_NODE_ID of its own`;
}

interface SayPorts {
  readonly clock: Pick<Clock, 'every'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Logs the words whenever they change. @returns what ends it */
export function sayEqualNames({ clock, logger }: SayPorts, words: () => string | undefined): () => void {
  let said: string | undefined;
  return clock.every(lookEveryMs, () => {
    const now = words();
    if (now !== undefined && now !== said) logger.warn({}, now);
    said = now;
  });
}
