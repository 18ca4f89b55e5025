import { MemoryReplicas } from '../support/audience/memory-replicas.ts';
import { replicaContract } from '../support/ports/stores/replica-contract.ts';

// Cassandra's is held to it in test/cassandra, which starts one.
replicaContract('in memory', async () => {
  const reads = new MemoryReplicas('region-1', 'region-2');
  return {
    reads,
    add: async (body) => {
      for (const one of reads.dataCentres) reads.put(one, body);
    },
    addHide: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
});
