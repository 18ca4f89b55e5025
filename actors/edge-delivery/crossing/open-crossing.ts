/** Crossing as one part of an edge: fetches what this region's store lacks from other regions, and serves theirs (R5). */
import type {
  PulledObject,
  PullParams,
  PullReply,
  PullState,
} from '../../../cluster/contract/edge-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import { silentEdges } from '../../../cluster/region/ask-to-pull.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import type { ArchiveSource } from '../playback/archive-source.ts';
import type { Handler } from '../http/http.ts';
import { bring, type BringPorts } from './bring.ts';
import { crossingFolder } from './crossing-paths.ts';
import { Crossings } from './crossings.ts';
import type { FetchAcross } from './fetch-across.ts';
import { archivesOfHome } from './home-archives.ts';
import { pictureOfHome } from './home-pictures.ts';
import { ObjectDoor } from './object-door.ts';
import { Puller } from './puller.ts';
import { SilentSources } from './silent-sources.ts';

/** An edge of this region. */
export interface NearEdge {
  readonly id: NodeId;
  readonly weight: number;
  readonly httpUrl: string;
}

/** What an edge needs to get objects of other regions. */
export interface CrossingPart {
  readonly self: NodeId;
  /** The edges of this region that are alive and do not leave, this one too. */
  readonly nearEdges: () => readonly NearEdge[];
  readonly elsewhere: Elsewhere;
  /** All other regions. */
  readonly regions: readonly RegionId[];
  readonly passKey: Buffer;
  readonly fetchAcross: FetchAcross;
  /** Of the link to that region, as it was measured last. */
  readonly roundTripMs: (region: RegionId) => number | undefined;
  /** Asks another edge of this region. @throws TangazaError where it does not answer within that time */
  readonly askToPull: (edge: NodeId, params: PullParams, withinMs: number) => Promise<PullState>;
}

export interface CrossingPorts {
  readonly clock: Clock;
  readonly store: SegmentStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Crossing {
  /** Brings what this region's store lacks. Undefined in a deployment of one region. */
  readonly bring: ((object: PulledObject) => Promise<Uint8Array>) | undefined;
  /** Archives of the home beside those of this region's own store. */
  readonly archives: (own: ArchiveSource) => ArchiveSource;
  /** The newest picture of a stream, made by an edge of its home. Undefined in a deployment of one region. @throws TangazaError `NOT_FOUND`, `STREAM_NOT_LIVE`, `OVERLOADED`, `UNAVAILABLE` */
  readonly picture: ((home: RegionId, stream: StreamId) => Promise<Uint8Array>) | undefined;
  /** Fetches for other nodes of this region. @throws TangazaError `UNAVAILABLE` in a deployment of one region, `OVERLOADED` */
  readonly pull: (object: PulledObject, waitMs: number) => Promise<PullReply>;
  /** Serves the edges of other regions at paths of their own, and leaves all else to that handler. */
  readonly beside: (handle: Handler) => Handler;
  /** Bytes that this edge got from each other region since it started; undefined in a deployment of one region. */
  readonly bytesFrom: (() => Readonly<Record<string, number>>) | undefined;
  readonly close: () => void;
}

/** In a deployment of one region. */
const noCrossing: Crossing = {
  bring: undefined,
  archives: (own) => own,
  picture: undefined,
  pull: () => Promise.reject(new TangazaError('UNAVAILABLE', 'There is no other region to fetch from.')),
  beside: (handle) => handle,
  bytesFrom: undefined,
  close: () => {},
};

/** @param part undefined in a deployment of one region */
export function openCrossing(part: CrossingPart | undefined, ports: CrossingPorts): Crossing {
  if (part === undefined) return noCrossing;
  const { elsewhere, regions, fetchAcross, roundTripMs, passKey } = part;
  const crossings = new Crossings(ports);
  const silent = new SilentSources(ports);
  const asked = { ...ports, elsewhere, fetchAcross, roundTripMs, crossings, silent };
  const puller = new Puller({ ...asked, regions });
  const bringPorts = bringPortsOf(part, ports, puller);
  const door = new ObjectDoor({ ...ports, passKey, unstored: bringPorts.unstored });
  return {
    bring: (object) => bring(bringPorts, { ...object, home: elsewhere.homeOf(object.streamId)?.region }),
    archives: (own) => archivesOfHome({ ...asked, own }),
    picture: (home, stream) => pictureOfHome(asked, home, stream),
    pull: async (object, waitMs) => ({ state: await puller.pull(object, waitMs) }),
    beside: (handle) => (request) =>
      request.path.startsWith(crossingFolder) ? door.serve(request) : handle(request),
    bytesFrom: () => crossings.bytesFrom,
    close: () => puller.close(),
  };
}

function bringPortsOf(
  { self, nearEdges, fetchAcross, askToPull }: CrossingPart,
  { clock, store, metrics }: CrossingPorts,
  puller: Puller,
): BringPorts {
  return {
    clock,
    store,
    fetchAcross,
    unstored: (key) => puller.unstored(key),
    edges: nearEdges,
    onSilent: silentEdges(metrics),
    urlOf: (edge) => nearEdges().find(({ id }) => id === edge)?.httpUrl,
    askToPull: (edge, params, withinMs) =>
      edge === self ? puller.pull(params, params.waitMs) : askToPull(edge, params, withinMs),
  };
}
