/** The members as those who ask for them need them. */
import type { NodeId, StreamId } from '../model/ids.ts';
import { order } from '../partition/rendezvous.ts';
import type { MemberDirectory } from './member-directory.ts';

/** Alive, and here to stay. */
export const isSound = (members: MemberDirectory, node: string): boolean =>
  members.list().members.some(({ id, state }) => id === node && state === 'alive');

/** What `/readyz` says of a node's membership, and of its peers' clocks. */
export function membershipParts(
  members: MemberDirectory & { readonly warnings: () => readonly string[] },
  self: NodeId,
) {
  const own = members.list().members.find(({ id }) => id === self);
  const [warning] = members.warnings();
  return [
    {
      name: 'membership',
      isReady: own?.state === 'alive',
      ...(own?.state === 'alive' ? {} : { detail: `this node is ${own?.state ?? 'no member'}` }),
    },
    { name: 'clocks', isReady: true, ...(warning === undefined ? {} : { detail: warning }) },
  ];
}

/** Nodes that may own streams: alive ingests. */
export function candidatesOf(members: Pick<MemberDirectory, 'list'>) {
  return members
    .list()
    .members.filter(({ state, roles }) => state === 'alive' && roles.includes('ingest'))
    .map(({ id, weight }) => ({ id, weight }));
}

/** Where a publisher of the stream may go instead: `rtmp://HOST:PORT/live` of the best other ingest. */
export function otherIngest(members: MemberDirectory, self: NodeId, stream: StreamId): string | undefined {
  const others = candidatesOf(members).filter(({ id }) => id !== self);
  const [first] = order(stream, others);
  return members.list().members.find(({ id }) => id === first?.id)?.rtmpUrl;
}

/** Edges as manifests list them, the dead included: a manifest changes with what was joined or left alone (M14). */
export function edgesOf(members: MemberDirectory) {
  const { revision, members: all } = members.list();
  const edges = all
    .filter(({ roles }) => roles.includes('edge-delivery'))
    .map(({ id, region, httpUrl, weight }) => ({ id, region, baseUrl: httpUrl, weight }));
  return { revision, edges };
}
