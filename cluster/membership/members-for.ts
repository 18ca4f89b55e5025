/** Answers the questions that services ask of the members: who is sound, who may own a stream, which edges there are. */
import type { NodeId, StreamId } from '../model/ids.ts';
import { order } from '../partition/rendezvous.ts';
import type { MemberDirectory } from './member-directory.ts';

/** Says whether a node is alive and not draining. */
export const isSound = (members: Pick<MemberDirectory, 'list'>, node: string): boolean =>
  members.list().members.some(({ id, state }) => id === node && state === 'alive');

/** What `/readyz` says of the node's membership and of the clocks of its peers. */
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

/** The nodes that may own streams: ingests that are alive. */
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

/** Where a publisher of a new stream may go: this node, or another of its region before those of others. Undefined: nobody takes one now. */
export function ingestNear(members: MemberDirectory, self: NodeId): string | undefined {
  const { members: all } = members.list();
  const region = all.find(({ id }) => id === self)?.region;
  const ingests = all.filter(({ state, roles }) => state === 'alive' && roles.includes('ingest'));
  const near = ingests.find(({ id }) => id === self) ?? ingests.find((one) => one.region === region);
  return (near ?? ingests[0])?.rtmpUrl;
}

/** The edges as manifests list them. It includes dead ones, as a manifest changes only when a node joins or leaves (M14). */
export function edgesOf(members: MemberDirectory) {
  const { revision, members: all } = members.list();
  const edges = all
    .filter(({ roles }) => roles.includes('edge-delivery'))
    .map(({ id, region, httpUrl, weight }) => ({ id, region, baseUrl: httpUrl, weight }));
  return { revision, edges };
}

/** The ids of all edges, of dead ones too. */
export const edgeIds = (members: Pick<MemberDirectory, 'list'>): readonly NodeId[] =>
  members.list().members.flatMap(({ id, roles }) => (roles.includes('edge-delivery') ? [id] : []));

/** The edges that are alive and do not leave. */
export function soundEdges(members: Pick<MemberDirectory, 'list'>) {
  return members
    .list()
    .members.filter(({ state, roles }) => state === 'alive' && roles.includes('edge-delivery'));
}
