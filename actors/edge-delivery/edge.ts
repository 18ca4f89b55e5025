/** The edge-delivery actor's core: puts the parts of an edge together and wires routes to what serves them. Time moves it by `tick`. */
import type { EdgeHead } from '../../cluster/contract/edge-actions.ts';
import type { Crossing } from './crossing/open-crossing.ts';
import { audienceRoutes } from '../../cluster/contract/api/audience-routes.ts';
import { nodeRoutes, playbackRoutes } from '../../cluster/contract/api/edge-routes.ts';
import type { Readiness } from '../../cluster/contract/api/edge-routes.ts';
import { publicStream, streamRoutes } from '../../cluster/contract/api/control-routes.ts';
import type { Route } from '../../cluster/contract/api/routes.ts';
import { reactionRoutes } from '../../cluster/contract/api/reaction-routes.ts';
import { socketRoute } from '../../cluster/contract/api/socket-routes.ts';
import { socketProtocol } from '../../cluster/contract/audience/socket-messages.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import { makeInTime } from '../../cluster/rpc/in-time.ts';
import { snapshotOf } from '../media/timeline/bounded-snapshot.ts';
import type { Timeline } from '../media/timeline/timeline.ts';
import { audienceNumbers, reacting } from './audience-numbers.ts';
import { makeApi, type ControlApiPart } from './http/api.ts';
import { defineRoute, withoutQuery } from './http/define-route.ts';
import { problemReply, type Reply } from './http/http.ts';
import type { HttpHandlers } from './http/http-server.ts';
import { nodeApi, type NodePart } from './http/node-api.ts';
import { makeRouter } from './http/router.ts';
import { openPlayback, type PlaybackPart } from './playback/open-playback.ts';
import type { StreamFollowers } from './playback/stream-followers.ts';
import { KnownStreams, type RegistryPart } from './public/known-streams.ts';
import { PlayerSessions } from './public/player-sessions.ts';
import { PublicStreams } from './public/public-streams.ts';
import type { RegionsPart } from './public/regions-seen.ts';
import { isOver as isOverIn } from './public/stream-state.ts';
import { Pages, type PagesPart } from './site/pages.ts';
import type { CallInTime } from './socket/audience-calls.ts';
import { LiveSockets, type SocketPart } from './socket/live-sockets.ts';
import { userByToken } from './socket/audience-calls.ts';
import { SteadyEdges } from './steady-edges.ts';
import { steeringRoutes, type Leaving, type SteeringPart } from './steering-routes.ts';
import { socketPlaces } from './user-edges.ts';

/** What an edge is made of; each part is described beside the code that it is for. */
export interface EdgeParts {
  readonly playback: PlaybackPart;
  readonly registry: RegistryPart;
  readonly steering: SteeringPart;
  readonly pages: PagesPart;
  readonly api: ControlApiPart;
  readonly node: NodePart;
  readonly sockets: SocketPart;
  /** Undefined in a deployment of one region. */
  readonly regions: RegionsPart | undefined;
}

export interface Edge extends HttpHandlers {
  readonly sockets: LiveSockets;
  /** Ends waits that took too long, drops idle streams, and notices changed edges. To be called every 250 ms. */
  readonly tick: () => void;
  /** Forgets streams that were removed. To be called every second. */
  readonly review: () => Promise<void>;
  /** What `/readyz` says. */
  readonly readiness: () => Readiness['parts'];
  /** How far this edge has folded a stream that it follows (C7). */
  head(stream: StreamId): EdgeHead | undefined;
  /** The fold of a stream, as a snapshot. */
  fold(stream: StreamId): unknown;
  /** Fetches an object from another region (R5). */
  readonly pull: Crossing['pull'];
  readonly bytesFrom: Crossing['bytesFrom'];
  /** `/readyz` answers 503, and steering sends viewers to other edges. Everything else continues. */
  leave(): void;
  /** Stops following every stream. Waiting requests are answered 503. */
  close(): void;
}

export const allRoutes: readonly Route[] = [
  ...streamRoutes,
  ...audienceRoutes,
  ...Object.values(playbackRoutes),
  ...Object.values(nodeRoutes),
  socketRoute,
  ...Object.values(reactionRoutes),
];

/** The API whose calls end in time. */
function bounded<A extends EdgeParts['api']>(api: A) {
  const inTime = makeInTime(api.clock);
  const call: CallInTime = (action, input) => inTime(api.call(action, input));
  return { ...api, call };
}

export function makeEdge(parts: EdgeParts): Edge {
  const { node, regions } = parts;
  const api = bounded(parts.api);
  const knownStreams = new KnownStreams(parts.registry);
  const { playback, followers, finder, foldOf, crossing, ...viewing } = openPlayback(
    parts.playback,
    knownStreams,
  );
  const { clock, retentionSeconds } = parts.playback;
  const publicStreams = new PublicStreams({ clock, retentionSeconds, knownStreams, finder, regions });
  const pages = new Pages({ ...parts.pages, publicStreams });
  pages.prepare();
  const state = { isLeaving: false };
  const places = socketPlaces(parts.steering, state);
  const react = reacting(parts.sockets);
  const players = new PlayerSessions();
  const isOver = overAt(followers);
  const sockets = new LiveSockets({ ...parts.sockets, ...api, places, knownStreams, react, isOver });
  const counting = { knownStreams, react, players, isOver };
  const steering = steeringOf(parts, api.call, players);
  const readiness = () => [...node.readiness(), ...viewing.readiness(), ...stayingPart(state)];
  const handle = makeApi({
    ...api,
    router: makeRouter(allRoutes),
    local: [
      ...viewing.routes,
      ...steeringRoutes(steering, playback, state),
      ...nodeApi({ ...node, readiness, access: api.access, routes: allRoutes }),
      defineRoute(withoutQuery(publicStream), (request, input) => publicStreams.serve(request, input)),
      defineRoute(withoutQuery(socketRoute), noSocketHere),
      ...audienceNumbers({ ...parts.sockets, ...counting, sockets: () => sockets.counts() }),
    ],
    fallback: (request, origin) => pages.serve(request, origin),
  });
  return {
    hot: playback.hot,
    handle: crossing.beside(handle),
    sockets,
    readiness,
    pull: crossing.pull,
    bytesFrom: crossing.bytesFrom,
    tick: () => {
      viewing.tick();
      players.expire(clock.runningMs());
      steering.tick();
      sockets.tick();
    },
    review: async () => {
      for (const id of await knownStreams.removedLately()) {
        playback.forget(id);
        sockets.removed(id);
        players.removed(id);
      }
    },
    head: (stream) => headOf(node, foldOf(stream)),
    fold: (stream) => stateOf(foldOf(stream)),
    leave: () => {
      state.isLeaving = true;
      sockets.leave();
    },
    close: () => {
      sockets.close();
      viewing.close();
      crossing.close();
      pages.close();
    },
  };
}

function steeringOf(
  { steering, playback, sockets, api }: EdgeParts,
  call: CallInTime,
  players: PlayerSessions,
) {
  const { clock } = playback;
  const counting = { clock, sessions: players, newSession: sockets.newId };
  const steady = new SteadyEdges();
  return {
    ...steering,
    ...counting,
    userOf: userByToken(call, api),
    isSteady: (edge: string) => steady.isSteady(edge, clock.runningMs()),
    tick: () => steady.note(steering.listEdges().edges, steering.isSound, clock.runningMs()),
  };
}

function headOf({ node }: NodePart, timeline: Timeline | undefined): EdgeHead | undefined {
  if (timeline === undefined) return undefined;
  const { epoch, nextNumber, periods } = timeline;
  return { node, epoch, nextNumber, period: periods.at(-1)?.id };
}

function stateOf(timeline: Timeline | undefined): unknown {
  return timeline === undefined ? undefined : snapshotOf(timeline, timeline.firstNumber).state;
}

/** Whether a broadcast is over, as far as is known here. While there is room its log is followed for that; where it is not, the broadcast goes on. */
const overAt =
  (followers: StreamFollowers) =>
  (stream: StreamId): boolean => {
    const follower = followers.openSpare(stream);
    return follower?.isCaughtUp === true && isOverIn(follower.timeline);
  };

/** A request for the live socket that asks for no websocket. Without `Upgrade`: HTTP/2 forbids it, and nginx would pass it on (tried). */
function noSocketHere(): Reply {
  const error = new TangazaError(
    'UPGRADE_REQUIRED',
    `Connect with a client for websockets, subprotocol ${socketProtocol}: /asyncapi.json describes it.`,
  );
  return problemReply(error);
}

/** A part of `/readyz` of its own: a node that is told to stop still answers, and says that it leaves. */
function stayingPart({ isLeaving }: Leaving): Readiness['parts'] {
  const detail = isLeaving ? { detail: 'this node is shutting down' } : {};
  return [{ name: 'staying', isReady: !isLeaving, ...detail }];
}
