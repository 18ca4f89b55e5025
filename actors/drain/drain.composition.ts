/** Builds the drain actor of a node from the node's parts. */
import { candidatesOf } from '../../cluster/membership/members-for.ts';
import type { HandOverPorts } from '../../cluster/contract/hand-over.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import { drainService } from './drain.service.ts';

export interface DrainParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'drainSeconds'>;
  readonly local: HandOverPorts;
  /** Ends the process in order. */
  readonly exit: () => void;
}

export function composeDrain(parts: DrainParts): MakeService {
  const { config, node, clock, logger, members, local, exit } = parts;
  return () =>
    drainService({
      checkDeadline: members.checkDeadline,
      node,
      clock,
      logger,
      withinMs: config.drainSeconds * 1000,
      othersLeft: () => candidatesOf(members).filter(({ id }) => id !== node).length,
      setDraining: () => members.setDraining(),
      local,
      exit,
    });
}
