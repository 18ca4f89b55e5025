/** What actors are given in a deployment of one region. */
import { RegionId } from '../../../cluster/model/ids.ts';
import { nothingElsewhere } from '../../../cluster/region/elsewhere.ts';
import { noOtherRegions } from '../../../cluster/region/other-regions.ts';
import { topologyOfOne } from '../../../cluster/region/topology/topology.ts';

const region = RegionId.parse('r1');

export const oneRegion = {
  region,
  topology: topologyOfOne(region),
  others: noOtherRegions,
  elsewhere: nothingElsewhere,
  mediaBytesFrom: () => 0,
};
