/** Connects a gateway to another region's NATS with what the topology says (R2). */
import { connect, RequestError, type NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../../contract/subjects.ts';
import type { NodeId, RegionId } from '../../model/ids.ts';
import { accessOptions } from '../../nats/access.nats.ts';
import type { Region } from '../topology/topology.ts';

const connectWithinMs = 2000;

/** One try. Nothing is made again by itself: the caller does that. @throws Error of the client, of TLS, or of a file that cannot be read */
export async function connectGateway(other: Region, own: RegionId, node: NodeId): Promise<NatsConnection> {
  const { natsUrls, tls, credentialsFile } = other.gateway;
  return connect({
    ...accessOptions({ servers: natsUrls, tls, credentialsFile }),
    name: `gateway ${own}/${node}`,
    inboxPrefix: subjects.wanInbox(other.id, own),
    timeout: connectWithinMs,
    reconnect: false,
    // What other servers of that region call each other may be addresses that nobody reaches from here.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  });
}

/** Nobody serves that subject: the server says so at once. */
export const isUnserved = (error: unknown): boolean =>
  error instanceof RequestError && error.isNoResponders();
