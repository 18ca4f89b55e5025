/** Builds the ports on which a node of whatever role tells of itself, from the node's parts. */
import type { Readiness } from '../../cluster/contract/api/edge-routes.ts';
import { edgeIds, membershipParts } from '../../cluster/membership/members-for.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import { equalNames } from '../../cluster/region/edges/equal-names.ts';
import { behindPeers, heardVersions } from '../../cluster/region/topology/topology-versions.ts';
import type { NodeConfig } from '../../config/config.ts';
import { httpUrlOf } from '../../config/public-url.ts';
import type { StoreHealth } from '../segment-store/store-health.ts';
import { allRoutes } from './edge.ts';
import { uwsServer } from './http/http.uws.ts';
import { makeNodeApi } from './http/node-api.ts';
import { NodePort, nodePortLimits } from './node-port.ts';

/** What a node answers of itself, and who may ask. */
export interface Tells {
  /** The edge adds its own parts to it, where there is one. */
  readiness: () => Readiness['parts'];
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly operatorToken: string;
  readonly metricsToken: string | undefined;
}

/** What `/readyz` says of every node. */
export function nodeReadiness(parts: ClusterParts, store: StoreHealth): Tells['readiness'] {
  const { members, node, region, natsDownMs, idsWarning, topology, others, elsewhere } = parts;
  const gone = (): object => (natsDownMs() === 0 ? {} : { detail: `gone for ${natsDownMs()} ms` });
  const ids = (): Readiness['parts'] => {
    const detail = idsWarning();
    return detail === undefined ? [] : [{ name: 'period ids', isReady: true, detail }];
  };
  const regions = (): Readiness['parts'] => {
    const behind = behindPeers(topology, heardVersions(members, others));
    const equal = equalNames(region, edgeIds(members), elsewhere.edges());
    const faults = [behind, equal, ...others.warnings()].filter((fault) => fault !== undefined);
    const detail = faults.length === 0 ? undefined : faults.join('; ');
    if (detail !== undefined) return [{ name: 'regions', isReady: true, detail }];
    return topology.version === 0 ? [] : [{ name: 'regions', isReady: true }];
  };
  return () => [
    ...membershipParts(members, node),
    { name: 'nats', isReady: true, ...gone() },
    ...ids(),
    ...regions(),
    ...store.parts(),
  ];
}

export interface NodePortParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'operator' | 'http' | 'roles'>;
  readonly tells: Tells;
}

/**
 * Members ask at the HTTP port whether a node lives, whatever its roles (C3): where no edge listens there, this does.
 *
 * @param closing gets what closes the ports
 */
export function composeNodePorts(parts: NodePortParts, closing: AsyncDisposableStack): readonly NodePort[] {
  const { config } = parts;
  const life = config.roles.has('edge-delivery') ? undefined : { ...config.http, isLoopback: false };
  const ports = [
    portOf(parts, { name: 'the operator port', listener: 'operator', at: config.operator }),
    portOf(parts, { name: 'HTTP', listener: 'members', at: life }),
  ];
  for (const port of ports) closing.defer(() => port.close());
  return ports;
}

interface Place {
  readonly name: string;
  /** In metrics. */
  readonly listener: string;
  readonly at: NodeConfig['operator'];
}

function portOf({ config, tells, node, clock, metrics, logger }: NodePortParts, place: Place): NodePort {
  const { operatorToken, metricsToken, renderMetrics } = tells;
  const { name, listener, at } = place;
  const access = { operatorToken, metricsToken, isLocalPort: at?.isLoopback === true };
  const readiness: Tells['readiness'] = () => tells.readiness();
  const ownUrl = httpUrlOf(config.http);
  return new NodePort({
    name,
    at,
    logger,
    server: uwsServer({ clock, metrics, logger, limits: nodePortLimits, listener }),
    api: makeNodeApi({ node, clock, access, ownUrl, renderMetrics, readiness, routes: allRoutes }),
  });
}
