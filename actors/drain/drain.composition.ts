/** Builds the drain actor of a node from the node's parts. */
import { candidatesOf } from '../../cluster/membership/members-for.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import { drainService } from './drain.service.ts';
import { nothingToHandOver } from './drain.ts';

export interface DrainParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'roles' | 'drainSeconds'>;
  /** Ends the process in order. */
  readonly exit: () => void;
}

export function composeDrain({ config, node, clock, logger, members, exit }: DrainParts): MakeService {
  return ({ own }) =>
    drainService({
      checkDeadline: members.checkDeadline,
      node,
      clock,
      logger,
      withinMs: config.drainSeconds * 1000,
      othersLeft: () => candidatesOf(members).filter(({ id }) => id !== node).length,
      setDraining: () => members.setDraining(),
      ...(config.roles.has('ingest') ? own : nothingToHandOver),
      exit,
    });
}
