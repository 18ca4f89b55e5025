/**
 * The edge where a user's live sockets are: by rendezvous on the user's id among the sound edges of the region, those with room first (A9).
 *
 * All windows of one user meet there, so that what counts by user counts at one place; an edge that dies moves exactly its own users. It is
 * where a page comes back to, and no more than that: any edge serves anybody.
 */
import type { StreamId, UserId } from '../../cluster/model/ids.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';
import { edgesFor, isStaying, lineName, type Viewpoint } from './edge-order.ts';
import type { Leaving, SteeringPart } from './steering-routes.ts';

export interface AskedSocket {
  readonly stream: StreamId;
  readonly user: UserId | undefined;
  /** `http://host:port` as its page wrote it to reach this edge. */
  readonly origin: string;
  /** The front through which it came. It chooses edges by itself, and their own addresses may not be reachable behind it. */
  readonly front: string | undefined;
  /** Names the socket: those of nobody are spread by it. */
  readonly socket: string;
}

export interface SocketPlaces {
  /** The socket that a page comes back to. */
  urlFor(asked: AskedSocket): string;
  /** Whether there is another edge that could take sockets. */
  hasElsewhere(): boolean;
  /** The socket of another edge; undefined where there is none. */
  urlElsewhere(asked: AskedSocket): string | undefined;
}

export function socketPlaces(part: SteeringPart, state: Leaving): SocketPlaces {
  const { node: self, region, isSound, loadOf, listEdges } = part;
  const best = (
    { user, socket }: Pick<AskedSocket, 'user' | 'socket'>,
    isLeaving: boolean,
  ): EdgeAddress | undefined => {
    const viewer = user === undefined ? `socket ${socket}` : lineName(user);
    const viewpoint: Viewpoint = { self, region, isLeaving, isSound, loadOf, viewer };
    return edgesFor(listEdges().edges, viewpoint).find((edge) => isStaying(edge, viewpoint));
  };
  return {
    urlFor: (asked) => {
      const { origin, front, stream, user } = asked;
      const isHere = front !== undefined || (user === undefined && !state.isLeaving);
      const home = isHere ? undefined : best(asked, state.isLeaving);
      return socketUrl(home === undefined || home.id === self ? (front ?? origin) : home.baseUrl, stream);
    },
    hasElsewhere: () => best({ user: undefined, socket: '' }, true) !== undefined,
    urlElsewhere: (asked) => {
      const other = best(asked, true);
      return other === undefined ? undefined : socketUrl(asked.front ?? other.baseUrl, asked.stream);
    },
  };
}

/** A live socket of an edge: `ws://` or `wss://` by the scheme of its address. */
export function socketUrl(origin: string, stream: StreamId): string {
  return `${origin.replace(/^http/, 'ws')}/v1/streams/${stream}/socket`;
}
