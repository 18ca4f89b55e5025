/**
 * Edges of two regions over real HTTP: those of each region share a store, and all read one log, as if a relayer had written it. The stream
 * `demo` is at home in region `eu`; region `us` is far.
 */
import { httpFetchAcross } from '../../../actors/edge-delivery/crossing/fetch-across.http.ts';
import type { FetchAcross } from '../../../actors/edge-delivery/crossing/fetch-across.ts';
import { passKeyOf } from '../../../actors/edge-delivery/crossing/object-pass.ts';
import type { CrossingPart, NearEdge } from '../../../actors/edge-delivery/crossing/open-crossing.ts';
import type { PullParams, PullState } from '../../../cluster/contract/edge-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { Epoch, NodeId, RegionId, type StreamId } from '../../../cluster/model/ids.ts';
import {
  nothingElsewhere,
  type EdgeElsewhere,
  type Elsewhere,
  type StreamElsewhere,
} from '../../../cluster/region/elsewhere.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { Broadcast, type BroadcastOptions } from '../media/broadcast.ts';
import { MemoryIndexLog } from '../ports/memory-index-log.ts';
import { MemorySegmentStore } from '../ports/memory-segment-store.ts';
import { startTestEdge, type EdgeSettings, type TestEdge } from '../ports/test-edge.ts';

export const home = RegionId.parse('eu');
export const far = RegionId.parse('us');

export interface TwoRegionsOptions {
  readonly farStore?: MemorySegmentStore;
  readonly farSecret?: string;
  /** The base URL of an edge that the home tells of beside its own ones. */
  readonly alsoTold?: string;
  /** Of every edge. */
  readonly settings?: Partial<EdgeSettings>;
  /** Of every far edge: what it needs to know of streams of the other region. */
  readonly farSettings?: Partial<EdgeSettings>;
}

interface RegionOptions {
  readonly region: RegionId;
  readonly log: MemoryIndexLog;
  readonly store: MemorySegmentStore;
  readonly secret: string;
  readonly settings: Partial<EdgeSettings>;
  /** The edges of the other region, as they are told here. */
  readonly told: () => readonly EdgeElsewhere[];
}

class TestRegion {
  readonly edges: TestEdge[] = [];
  /** By the key of an object, how often an edge of another region was asked for it. */
  readonly crossed = new Map<string, number>();
  /** By the key of an object, how often it was taken whole from an edge of another region. */
  readonly taken = new Map<string, number>();
  /** How often an edge of another region was asked for a picture. */
  picturesAsked = 0;
  /** This edge answers no other node. */
  silent: NodeId | undefined;
  /** Whether its edges have heard where the streams of the other region are at home. */
  isHomeTold = true;
  readonly #options: RegionOptions;
  readonly #fetchAcross: FetchAcross;
  readonly #passKey: Buffer;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.#passKey = passKeyOf(options.secret);
    const across = httpFetchAcross({
      clock: systemClock,
      region: options.region,
      passKey: this.#passKey,
    });
    this.#fetchAcross = {
      ...across,
      picture: (asked, signal) => {
        this.picturesAsked += 1;
        return across.picture(asked, signal);
      },
      object: async (asked, signal) => {
        const { httpUrl, key } = asked;
        const isNear = this.edges.some(({ url }) => url === httpUrl);
        if (!isNear) this.crossed.set(key, (this.crossed.get(key) ?? 0) + 1);
        const body = await across.object(asked, signal);
        if (!isNear) this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
        return body;
      },
    };
  }

  get store(): MemorySegmentStore {
    return this.#options.store;
  }

  async start(count: number, opened: AsyncDisposableStack): Promise<this> {
    const { region, log, store, settings } = this.#options;
    for (let index = 0; index < count; index += 1) {
      const node = this.nodeAt(index);
      const crossing = this.#crossingOf(node);
      const edge = await startTestEdge({ node, region, log, store, crossing, ...settings });
      this.edges.push(opened.use(edge));
    }
    return this;
  }

  /** How often an edge of either region was silent for so long that another one was asked too. */
  async silences(): Promise<number> {
    const names = ['tangaza_crossing_silent_sources_total', 'tangaza_crossing_silent_edges_total'];
    const counts = this.edges.flatMap((edge) => names.map((name) => edge.metric(name)));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  nodeAt(index: number): NodeId {
    return NodeId.parse(`${this.#options.region}-n${index}`);
  }

  told(): readonly EdgeElsewhere[] {
    return this.edges.map(({ url }, index) => toldEdge(this.#options.region, this.nodeAt(index), url));
  }

  /** Asks an edge, as its neighbours and relayers do. */
  async askToPull(edge: NodeId, { waitMs, ...object }: PullParams): Promise<PullState> {
    const asked = this.edges[this.#near().findIndex(({ id }) => id === edge)];
    if (asked === undefined || edge === this.silent)
      throw new TangazaError('UNAVAILABLE', `${edge} does not answer.`);
    return (await asked.edge.pull(object, waitMs)).state;
  }

  #near(): readonly NearEdge[] {
    return this.edges.map(({ url }, index) => ({ id: this.nodeAt(index), weight: 1, httpUrl: url }));
  }

  #crossingOf(self: NodeId): CrossingPart {
    const { region, told } = this.#options;
    return {
      self,
      nearEdges: () => this.#near(),
      elsewhere: elsewhereWith(told, () => (region === far && this.isHomeTold ? home : undefined)),
      regions: [region === far ? home : far],
      passKey: this.#passKey,
      fetchAcross: this.#fetchAcross,
      roundTripMs: () => undefined,
      askToPull: (edge, params) => this.askToPull(edge, params),
    };
  }
}

function toldEdge(region: RegionId, node: string, httpUrl: string): EdgeElsewhere {
  const common = { isSound: true, connections: 0, room: 100, weight: 1 };
  return { region, node: NodeId.parse(node), httpUrl, ...common };
}

/** @param homeOfAll where every stream is at home, if not here */
function elsewhereWith(
  edges: () => readonly EdgeElsewhere[],
  homeOfAll: () => RegionId | undefined,
): Elsewhere {
  const homeOf = (stream: StreamId): StreamElsewhere | undefined => {
    const region = homeOfAll();
    if (region === undefined) return undefined;
    const numbers = { nextNumber: 0, discontinuities: 0, availabilityStartMs: 0, sinceMs: 0, ageMs: 0 };
    const common = { epoch: Epoch.parse(1), isOnAir: true, rtmpUrl: 'rtmp://home.test/live' };
    return { stream, region, ...common, ...numbers };
  };
  return { ...nothingElsewhere, homeOf, ask: async (stream) => homeOf(stream), edges };
}

export interface TwoRegions extends AsyncDisposable {
  readonly home: TestRegion;
  readonly far: TestRegion;
  readonly log: MemoryIndexLog;
  /** Whether the regions hear of each other's edges. */
  readonly link: { isUp: boolean };
  /** The stream `demo`, on air at home. */
  broadcast(segments: number, options?: Partial<BroadcastOptions>): Promise<Broadcast>;
}

/** Two edges in each region. */
export async function startTwoRegions(options: TwoRegionsOptions = {}): Promise<TwoRegions> {
  const { farStore = new MemorySegmentStore(), settings = {} } = options;
  await using opened = new AsyncDisposableStack();
  const log = new MemoryIndexLog();
  const link = { isUp: true };
  const also = options.alsoTold === undefined ? [] : [toldEdge(home, 'eu-also', options.alsoTold)];
  const secret = 'a secret that all regions share';
  const common = { log, settings };
  const homeRegion: TestRegion = new TestRegion({
    ...common,
    region: home,
    store: new MemorySegmentStore(),
    secret,
    told: () => (link.isUp ? farRegion.told() : []),
  });
  const farRegion: TestRegion = new TestRegion({
    ...common,
    region: far,
    store: farStore,
    settings: { ...settings, ...options.farSettings },
    secret: options.farSecret ?? secret,
    told: () => (link.isUp ? [...homeRegion.told(), ...also] : []),
  });
  await homeRegion.start(2, opened);
  await farRegion.start(2, opened);
  const closing = opened.move();
  return {
    home: homeRegion,
    far: farRegion,
    log,
    link,
    broadcast: async (segments, more = {}) =>
      (await new Broadcast({ log, store: homeRegion.store, ...more }).open()).commit(segments),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
