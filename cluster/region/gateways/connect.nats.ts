/** Connects a gateway to another region's NATS with what the topology says, or a node to its own with what its settings say (R2). */
import { readFileSync } from 'node:fs';
import { connect, credsAuthenticator, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import type { Authenticator, NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../../contract/subjects.ts';
import type { NodeId, RegionId } from '../../model/ids.ts';
import type { GatewayAccess, Region } from '../topology.ts';

const connectWithinMs = 2000;

/** One try. Nothing is made again by itself: the caller does that. @throws Error of the client, of TLS, or of a file that cannot be read */
export function connectGateway(other: Region, own: RegionId, node: NodeId): Promise<NatsConnection> {
  const { natsUrls } = other.gateway;
  return connect({
    servers: [...natsUrls],
    name: `gateway ${own}/${node}`,
    inboxPrefix: subjects.wanInbox(other.id, own),
    timeout: connectWithinMs,
    reconnect: false,
    // What other servers of that region call each other may be addresses that nobody reaches from here.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    ...accessOptions(other.gateway),
  });
}

interface AccessOptions {
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly authenticator?: Authenticator;
}

/** Reads the files now. @throws Error that names the file that cannot be read */
export function accessOptions({
  tls,
  credentialsFile,
}: Pick<GatewayAccess, 'tls' | 'credentialsFile'>): AccessOptions {
  return {
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ca: read(tls.caFile),
            ...(tls.certFile === undefined ? {} : { cert: read(tls.certFile) }),
            ...(tls.keyFile === undefined ? {} : { key: read(tls.keyFile) }),
          },
        }),
    ...(credentialsFile === undefined ? {} : { authenticator: authenticatorOf(read(credentialsFile)) }),
  };
}

const read = (file: string): string => readFileSync(file, 'utf8');

/** A credentials file as `nsc` writes it, or a user and a password in a line each. */
function authenticatorOf(text: string): Authenticator {
  if (text.includes('BEGIN NATS USER JWT')) return credsAuthenticator(new TextEncoder().encode(text));
  const [user = '', password = ''] = text.split(/\r?\n/);
  return usernamePasswordAuthenticator(user.trim(), password.trim());
}
