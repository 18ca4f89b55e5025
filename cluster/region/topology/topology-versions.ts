/** Says whether this node's description of the regions is behind what others have (R1). */
import type { MemberDirectory } from '../../membership/member-directory.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import type { OtherRegions } from '../other-regions.ts';
import type { Topology } from './topology.ts';
import { regionNamed } from '../../model/region-words.ts';

interface Heard {
  /** `node eu-2`, `region us`. */
  readonly who: string;
  readonly version: number;
}

/** What members of this region, and gateways of the others, said of their version. Who is dead counts no more. */
export function heardVersions(
  members: Pick<MemberDirectory, 'list'>,
  others: Pick<OtherRegions, 'links'>,
): readonly Heard[] {
  const near = members
    .list()
    .members.flatMap(({ id, isAlive, topologyVersion }) =>
      isAlive && topologyVersion !== undefined ? [{ who: `node ${id}`, version: topologyVersion }] : [],
    );
  const far = others
    .links()
    .flatMap(({ region, topologyVersion }) =>
      topologyVersion === undefined ? [] : [{ who: regionNamed(region), version: topologyVersion }],
    );
  return [...near, ...far];
}

/** One sentence that says what to do; undefined for a node that is not behind. */
export function behindPeers({ version }: Topology, heard: readonly Heard[]): string | undefined {
  const [newest] = heard.toSorted((left, right) => right.version - left.version);
  if (newest === undefined || newest.version <= version) return undefined;
  const own = version === 0 ? 'no file of regions' : `version ${version} of the regions`;
  return `this node has ${own}, and ${newest.who} has version ${newest.version}: give it the new file (TANGAZA_REGIONS) and restart it`;
}

const lookEveryMs = 5000;

/** Logs once for each newer version that peers have. @returns what ends it */
export function tellWhenBehind(
  topology: Topology,
  heard: () => readonly Heard[],
  { clock, logger }: { readonly clock: Pick<Clock, 'every'>; readonly logger: Logger },
): () => void {
  let told: string | undefined;
  return clock.every(lookEveryMs, () => {
    const words = behindPeers(topology, heard());
    if (words !== undefined && words !== told) logger.warn({}, words);
    told = words;
  });
}
