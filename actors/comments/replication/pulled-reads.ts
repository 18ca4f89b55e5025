/** Asks the region's own file what other regions have committed of it, as their pulls have said (A6, A14). */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { ChangeStore } from '../store/change-store.ts';
import type { ReplicaReads } from './replica-reads.ts';
import type { Replication } from './replication.ts';

export function pulledReads(store: Pick<ChangeStore, 'takenBy'>, regions: readonly RegionId[]): ReplicaReads {
  return {
    dataCentres: regions,
    there: async ({ dataCentre, streamId, fromMs, toMs }) => {
      const region = regions.find((one) => one === dataCentre);
      return new Set(region === undefined ? [] : await store.takenBy(region, streamId, fromMs, toMs));
    },
  };
}

/** The own file has what was acknowledged here. */
export function inOwnFile(replication: Replication, own: RegionId): Replication {
  return {
    isOn: replication.isOn,
    watch: (comment) => replication.watch(comment, own),
    has: (id) => replication.has(id),
    heard: (change) => replication.heard(change),
    look: (tell) => replication.look(tell),
  };
}
