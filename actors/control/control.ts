/**
 * The control actor: creates, changes and removes streams, and tells how streams and the cluster are. Its ports are
 * arguments.
 */
import type { BeginDrainParams } from '../../cluster/contract/drain-actions.ts';
import type {
  ClusterView,
  CreateStreamBody,
  DrainBody,
  DrainView,
  LiveStreams,
  ReleaseView,
  StreamPage,
  StreamView,
  StreamWithKey,
  UpdateStreamBody,
} from '../../cluster/contract/api/control-views.ts';
import type { AuthenticateParams, AuthenticateReply } from '../../cluster/contract/control-actions.ts';
import type { NodeParams, PageQuery, StreamParams } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import type { CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import { cursorOf, placeOfCursor } from '../../cluster/contract/api/cursor.ts';
import { neverOnAir, offlineHealth } from '../../cluster/contract/offline-health.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { ListedMember, MemberDirectory } from '../../cluster/membership/member-directory.ts';
import { candidatesOf } from '../../cluster/membership/members-for.ts';
import { type NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { Known, KnownOwnership } from '../../cluster/ownership/known-ownership.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';
import { lineOf, loadsOf } from '../../cluster/ownership/succession.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { idempotentRequest, saltOf } from './idempotency.ts';
import { deriveStreamKey, hashStreamKey } from './stream-key.ts';
import { clusterView, lastKnownHealth, stalenessOf } from './last-known.ts';
import { registryInTime, type RegistryInTime } from './registry-in-time.ts';
import { idWasLost, type StreamEntry, type StreamRegistry } from './stream-registry.ts';
import type { RegionsSeen, SeenElsewhere } from './regions/regions-seen.ts';
import { toStreamView } from './stream-view.ts';

/** How many streams are asked for their health at once when the index page asks what is on air. */
const maxLiveAsked = 200;
const liveCacheMs = 1000;
/** A node reads the view every second, so an older view means that it could not be read. */
const viewStaleMs = 5000;

export interface ControlPorts {
  readonly clock: Clock;
  readonly registry: StreamRegistry;
  readonly ownership: Pick<KnownOwnership, 'known' | 'allKnown'>;
  readonly members: Pick<MemberDirectory, 'list'>;
  /** The members that a monitor accuses now. */
  readonly suspects: () => readonly NodeId[];
  /** Asks that node to drain. @throws TangazaError */
  readonly beginDrain: (
    node: NodeId,
    params: BeginDrainParams,
  ) => Promise<{ readonly withinSeconds: number }>;
  /** Lifts the brake. @returns the members that this concerns. @throws TangazaError `LOG_UNAVAILABLE` */
  readonly release: () => Promise<readonly NodeId[]>;
  /** The names of all ladders. */
  readonly ladders: ReadonlySet<string>;
  readonly defaultLadder: string;
  /** The region's secret, from which stream keys are derived. */
  readonly keySecret: string;
  readonly newId: () => string;
  readonly newSalt: () => string;
  /** Asks the owner's node. @throws TangazaError `UNAVAILABLE` when it does not answer */
  readonly askHealth: (owner: OwnershipRecord, id: StreamId) => Promise<StreamHealth>;
  /** How many streams are on air at that node; `undefined` when it does not answer at once. */
  readonly askOnAir: (node: NodeId) => Promise<number | undefined>;
  /** Open connections at that node's edge, as told some seconds ago; `undefined` when it does not tell. */
  readonly connectionsOf: (node: NodeId) => number | undefined;
  /** How many watch a stream in all regions, as far as this node has heard. Absent on a node that hears nothing of it. */
  readonly viewersOf?: (stream: StreamId) => number | undefined;
  /** What is on air in other regions; absent where there are none. */
  readonly regions?: RegionsSeen;
  /** Makes every node close the stream's publishers. */
  readonly closeSessions: (params: CloseSessionsParams) => Promise<void>;
}

export class Control {
  readonly #ports: ControlPorts;
  readonly #inTime: RegistryInTime;
  #lastLive: ReadonlyMap<StreamId, LiveStreams['items'][number]> = new Map();
  #live: { readonly atMs: number; readonly value: Promise<LiveStreams> } | undefined;

  constructor(ports: ControlPorts) {
    this.#ports = ports;
    this.#inTime = registryInTime(ports.clock);
  }

  async create(input: RouteInput<unknown, unknown, CreateStreamBody>): Promise<StreamWithKey> {
    const { body, origin } = input;
    const { registry, clock, newId, newSalt, keySecret, defaultLadder } = this.#ports;
    const ladder = this.#knownLadder(body.ladder ?? defaultLadder);
    const id = body.id ?? StreamId.parse(newId());
    const salt = newSalt();
    const keyHash = hashStreamKey(deriveStreamKey(keySecret, id, salt));
    const { entry, keySalt } = await this.#inTime(() =>
      registry.create({
        id,
        title: body.title,
        ladder,
        keyHash,
        keySalt: salt,
        nowMs: clock.utcMs(),
        request: idempotentRequest('create', input),
      }),
    );
    return { ...this.#view(entry, origin), streamKey: deriveStreamKey(keySecret, entry.id, keySalt) };
  }

  async list({ query, origin }: RouteInput<unknown, PageQuery>): Promise<StreamPage> {
    const after = query.cursor === undefined ? undefined : placeOfCursor(query.cursor);
    const entries = await this.#inTime(() => this.#ports.registry.list(query.limit + 1, after));
    const page = entries.slice(0, query.limit);
    const items = page.map((entry) => this.#view(entry, origin));
    const last = page.at(-1);
    return entries.length > query.limit && last !== undefined
      ? { items, nextCursor: cursorOf(last) }
      : { items };
  }

  async show({ params, origin }: RouteInput<StreamParams>): Promise<StreamView> {
    return this.#view(await this.#entry(params.id), origin);
  }

  async update({
    params,
    body,
    origin,
  }: RouteInput<StreamParams, unknown, UpdateStreamBody>): Promise<StreamView> {
    const { registry, clock } = this.#ports;
    const change = {
      ...(body.title === undefined ? {} : { title: body.title }),
      ...(body.ladder === undefined ? {} : { ladder: this.#knownLadder(body.ladder) }),
    };
    const entry = await this.#inTime(() => registry.update(params.id, change, clock.utcMs()));
    return this.#view(this.#found(params.id, entry), origin);
  }

  /** Its publishers are closed when the registry has done it, however long that takes. */
  remove({ params: { id } }: RouteInput<StreamParams>): Promise<void> {
    const { registry, clock, closeSessions } = this.#ports;
    return this.#inTime(async () => {
      if (!(await registry.remove(id, clock.utcMs()))) throw noSuchStream(id);
      await closeSessions({ streamId: id, reason: 'the stream was deleted', code: 'STREAM_REMOVED' });
    });
  }

  /** @throws TangazaError `STREAM_NOT_FOUND` */
  rotateKey(input: RouteInput<StreamParams>): Promise<StreamWithKey> {
    return this.#inTime(() => this.#rotateKey(input));
  }

  async #rotateKey(input: RouteInput<StreamParams>): Promise<StreamWithKey> {
    const { params, origin } = input;
    const { registry, keySecret, newSalt, clock, closeSessions } = this.#ports;
    const request = idempotentRequest('rotateKey', input);
    const keySalt = request === undefined ? newSalt() : saltOf(keySecret, request);
    const streamKey = deriveStreamKey(keySecret, params.id, keySalt);
    const key = { keyHash: hashStreamKey(streamKey), keySalt };
    const entry = this.#found(params.id, await registry.rotateKey(params.id, key, clock.utcMs()));
    await closeSessions({ streamId: params.id, reason: 'the stream key was changed' });
    return { ...this.#view(entry, origin), streamKey };
  }

  /** @throws TangazaError `STREAM_KEY_UNKNOWN`, `STREAM_REMOVED`; `UNAVAILABLE`, `OVERLOADED` when the registry does not answer */
  authenticate({ streamKey }: AuthenticateParams): Promise<AuthenticateReply> {
    return this.#inTime(() => this.#authenticate(hashStreamKey(streamKey)));
  }

  async #authenticate(keyHash: string): Promise<AuthenticateReply> {
    const { registry, clock } = this.#ports;
    const entry = await registry.findByKeyHash(keyHash);
    if (entry !== undefined) return { streamId: entry.id, ladder: entry.ladder };
    const removed = await registry.removedWithKeyHash(keyHash, clock.utcMs());
    if (removed === undefined) throw new TangazaError('STREAM_KEY_UNKNOWN');
    throw new TangazaError(
      'STREAM_REMOVED',
      removed.hasLostId === true
        ? idWasLost(removed.id)
        : `The stream ${removed.id} of this key was removed: publish with the key of another stream.`,
    );
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`; `LOG_UNAVAILABLE` when NATS does not answer and nothing is known */
  async health(id: StreamId): Promise<StreamHealth> {
    const { ownership, askHealth, clock } = this.#ports;
    await this.#entry(id);
    const known = await ownership.known(id);
    const utcMs = clock.utcMs();
    const staleness = stalenessOf(known.ageMs, utcMs);
    const { value: record } = known;
    if (record === undefined) return offlineHealth(neverOnAir, utcMs, staleness);
    // At the same time as the owner, not after it: neither may answer for its whole time.
    const early = known.ageMs === undefined ? undefined : this.#successors(id, record);
    try {
      return { ...(await askHealth(record, id)), ...staleness };
    } catch (error) {
      if (errorCodeOf(error) === 'NOT_OWNER') return offlineHealth('no publisher', utcMs, staleness);
      return lastKnownHealth(record, {
        utcMs,
        ...staleness,
        successors: await (early ?? this.#successors(id, record)),
      });
    }
  }

  /** The streams on air. Every visitor of `/` asks, so it is computed once a second at most. */
  live(): Promise<LiveStreams> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#live === undefined || nowMs - this.#live.atMs > liveCacheMs)
      this.#live = { atMs: nowMs, value: this.#findLive() };
    return this.#live.value;
  }

  /** @throws TangazaError `NOT_FOUND`, `CONFLICT` (last, or draining already), `UNAVAILABLE` (dead) */
  async drain(input: RouteInput<NodeParams, unknown, DrainBody>): Promise<DrainView> {
    const { params, body } = input;
    const { members, beginDrain, regions } = this.#ports;
    const known = members.list().members;
    const member = known.find(({ id }) => id === params.id);
    const elsewhere =
      regions === undefined ? '' : ' A node of another region is drained by asking a node of that region.';
    if (member === undefined)
      throw new TangazaError(
        'NOT_FOUND',
        `There is no node ${params.id} here; there are: ${known.map(({ id }) => id).join(', ')}.${elsewhere}`,
      );
    if (member.state === 'dead')
      throw new TangazaError('UNAVAILABLE', `${params.id} is dead: there is nothing to hand over.`);
    const { withinSeconds } = await beginDrain(member.id, { isForced: body.force === true });
    return { node: member.id, state: 'draining', withinSeconds };
  }

  /** @throws TangazaError `LOG_UNAVAILABLE` */
  async release(): Promise<ReleaseView> {
    return { released: [...(await this.#ports.release())] };
  }

  /** @throws TangazaError `LOG_UNAVAILABLE` when NATS does not answer and nothing is known */
  async cluster(): Promise<ClusterView> {
    const { members, ownership, clock } = this.#ports;
    const owners = await ownership.allKnown();
    const { members: all, readAtMs } = members.list();
    const viewAgeMs = Math.max(0, clock.monotonicMs() - readAtMs);
    const isStale = owners.ageMs !== undefined || viewAgeMs > viewStaleMs;
    const ageMs = isStale ? Math.max(owners.ageMs ?? 0, viewAgeMs) : undefined;
    const onAir = ageMs === undefined ? await this.#onAirByNode(all) : new Map<NodeId, number>();
    return clusterView(all, owners.value, {
      utcMs: clock.utcMs(),
      ageMs,
      onAir,
      connections: this.#ports.connectionsOf,
      suspects: new Set(this.#ports.suspects()),
    });
  }

  /** How many streams are on air at each node. Only owners know: an ownership record stays when a broadcast is over. */
  async #onAirByNode(members: readonly ListedMember[]): Promise<ReadonlyMap<NodeId, number>> {
    const owners = members.filter(({ state, roles }) => state !== 'dead' && roles.includes('ingest'));
    const counts = await Promise.all(
      owners.map(async ({ id }) => [id, await this.#ports.askOnAir(id)] as const),
    );
    return new Map(counts.flatMap(([id, count]) => (count === undefined ? [] : [[id, count]])));
  }

  async #findLive(): Promise<LiveStreams> {
    const { ownership, clock } = this.#ports;
    const owners = await ownership.allKnown();
    const staleness = stalenessOf(owners.ageMs, clock.utcMs());
    const owned = [...owners.value].filter(([, { endedAt }]) => endedAt === undefined).slice(-maxLiveAsked);
    const elsewhere = this.#ports.regions?.onAir() ?? [];
    const away = new Set(elsewhere.map(({ stream }) => stream));
    const asked = await Promise.all([
      ...owned.filter(([id]) => !away.has(id)).map(([id, record]) => this.#onAir(id, record, owners)),
      ...elsewhere.slice(0, maxLiveAsked).map((one) => this.#onAirElsewhere(one)),
    ]);
    const items = asked.flat();
    this.#lastLive = new Map(items.map((item) => [item.id, item]));
    return { items, ...staleness };
  }

  /**
   * Health as far as it is known. With NATS down, a stream whose owner cannot be asked is described as last seen; with the
   * registry gone its title is the last one.
   */
  async #onAir(
    id: StreamId,
    record: OwnershipRecord,
    { ageMs }: Known<unknown>,
  ): Promise<LiveStreams['items']> {
    const { registry, askHealth, viewersOf = () => undefined } = this.#ports;
    const seen = this.#lastLive.get(id);
    const [entry, health] = await Promise.all([
      this.#inTime(() => registry.get(id)).catch((error: unknown) => {
        if (seen === undefined) throw error;
        return seen;
      }),
      askHealth(record, id).catch(() => undefined),
    ]);
    if (entry === undefined) return [];
    const last = ageMs === undefined ? undefined : seen;
    if (health === undefined) return last === undefined ? [] : [last];
    if (!isOnAir(health)) return [];
    const since = health.since === undefined ? {} : { since: health.since };
    const viewers = viewersOf(id);
    const audience = {
      ...(viewers === undefined ? {} : { viewers }),
      ...(this.#ports.regions === undefined ? {} : { region: record.region }),
    };
    return [{ id, title: entry.title, state: health.state, page: `/watch/${id}`, ...since, ...audience }];
  }

  /** A stream of another region by what that told. One that the registry does not know, or not yet, is not shown. */
  async #onAirElsewhere({
    stream: id,
    region,
    sinceMs,
    ...seen
  }: SeenElsewhere): Promise<LiveStreams['items']> {
    const { registry, viewersOf = () => undefined } = this.#ports;
    const last = this.#lastLive.get(id);
    const entry = await this.#inTime(() => registry.get(id)).catch(() => last);
    if (entry === undefined) return [];
    const viewers = viewersOf(id);
    return [
      {
        id,
        title: entry.title,
        state: seen.hasBegun ? 'live' : 'starting',
        since: new Date(sinceMs).toISOString(),
        page: `/watch/${id}`,
        region,
        ...(seen.unheard === undefined ? {} : { unheard: seen.unheard }),
        ...(viewers === undefined ? {} : { viewers }),
      },
    ];
  }

  /** The nodes that would take the stream over, best first, as its owner would name them. */
  async #successors(id: StreamId, { owner }: OwnershipRecord): Promise<readonly NodeId[]> {
    const { ownership, members } = this.#ports;
    const { value } = await ownership
      .allKnown()
      .catch(() => ({ value: new Map<StreamId, OwnershipRecord>() }));
    return lineOf(id, candidatesOf(members), loadsOf(value)).filter((node) => node !== owner);
  }

  #view(entry: StreamEntry, origin: string): StreamView {
    const nodes = this.#ports.members
      .list()
      .members.filter((member) => member.state === 'alive' && member.roles.includes('ingest'));
    const home = this.#ports.regions?.homeOf(entry.id);
    return toStreamView(entry, origin, home ?? order(entry.id, nodes));
  }

  async #entry(id: StreamId): Promise<StreamEntry> {
    return this.#found(id, await this.#inTime(() => this.#ports.registry.get(id)));
  }

  #found(id: StreamId, entry: StreamEntry | undefined): StreamEntry {
    if (entry === undefined) throw noSuchStream(id);
    return entry;
  }

  #knownLadder(name: string): string {
    const { ladders } = this.#ports;
    if (ladders.has(name)) return name;
    throw new TangazaError(
      'BAD_REQUEST',
      `There is no ladder ${name}; there are: ${[...ladders].join(', ')}.`,
    );
  }
}

function isOnAir(health: StreamHealth): boolean {
  return health.state === 'live' || health.state === 'degraded' || health.state === 'starting';
}

function noSuchStream(id: StreamId): TangazaError {
  return new TangazaError('STREAM_NOT_FOUND', `There is no stream ${id}.`);
}
