/** What goes wrong between simulated regions, and what their operators do: one thing at a time, drawn from the seed. */
import type { Epoch, RegionId } from '../../../cluster/model/ids.ts';
import { nextEpoch } from '../../../cluster/ownership/epoch.ts';
import type { Random } from '../random.ts';
import { windowSeconds, type RegionEdge } from './region-edge.ts';
import type { RegionLog } from './region-log.ts';
import type { Session } from './region-media.ts';
import type { RegionOwner } from './region-owner.ts';
import type { RegionRelay } from './region-relay.ts';

/** One region of the simulation. */
export interface Place {
  readonly id: RegionId;
  readonly ordinal: number;
  /** How far its wall clock is ahead. */
  readonly skewMs: number;
  readonly log: RegionLog;
  readonly published: Map<number, string>;
  readonly edges: RegionEdge[];
  owner: RegionOwner | undefined;
  relay: RegionRelay | undefined;
  session: Session | undefined;
  /** The highest epoch that an owner of this region ever had; its ownership record. */
  epoch: Epoch | undefined;
  heardAtMs: number;
  successorDueAtMs: number | undefined;
}

export interface FaultPorts {
  readonly places: readonly Place[];
  /** Pairs `{from}>{to}` of regions whose messages are lost. */
  readonly cuts: Set<string>;
  readonly random: Random;
  readonly nowMs: number;
  readonly newSession: () => Session;
  readonly newEdge: (place: Place, index: number) => RegionEdge;
}

type Fault = readonly [what: string, run: (place: Place, ports: FaultPorts) => void];

const pairsOf = (place: Place, places: readonly Place[]): readonly (readonly [string, string])[] =>
  places
    .filter(({ id }) => id !== place.id)
    .map(({ id }) => [`${place.id}>${id}`, `${id}>${place.id}`] as const);

function cut(place: Place, { places, cuts }: FaultPorts): void {
  for (const pair of pairsOf(place, places)) for (const one of pair) cuts.add(one);
}

function cutOneWay(place: Place, { places, cuts, random }: FaultPorts): void {
  const way = random.below(2);
  for (const pair of pairsOf(place, places)) cuts.add(pair[way] ?? pair[0]);
}

function mend(place: Place, { places, cuts }: FaultPorts): void {
  for (const pair of pairsOf(place, places)) for (const one of pair) cuts.delete(one);
}

function killRelay(place: Place): void {
  place.relay?.kill();
  place.relay = undefined;
}

function killOwner({ owner }: Place): void {
  if (owner !== undefined) owner.life = 'gone';
}

/** The edges of the region have read what is lost: what nobody knows any more is in no number that a viewer has seen. */
function restore({ log, edges }: Place): void {
  for (const edge of edges) edge.read();
  log.restore();
}

function move(place: Place, { places, random, nowMs }: FaultPorts): void {
  const { owner } = place;
  const others = places.filter(({ id, session }) => id !== place.id && session !== undefined);
  const to = random.pick(others);
  if (owner?.life !== 'active' || to === undefined) return;
  owner.move(to.id, nextEpoch([owner.self.epoch], to.ordinal), nowMs);
}

/** The other region hears of it late, or never: the stream is taken back (R7). */
function moveAndCut(place: Place, ports: FaultPorts): void {
  move(place, ports);
  cut(place, ports);
}

function end({ owner }: Place, { nowMs }: FaultPorts): void {
  if (owner?.life === 'active') owner.end(nowMs);
}

/** How many segments are kept at all: a minute more than the window of the edges. The log keeps what the window depends on. */
const keptSegments = 50;

function shorten({ owner }: Place, { nowMs }: FaultPorts): void {
  if (owner?.life === 'active')
    owner.shorten(Math.max(0, owner.timeline.nextNumber - keptSegments), nowMs, windowSeconds);
}

const faults: readonly Fault[] = [
  ['is cut off', cut],
  ['is cut off', cut],
  ['hears or is heard no more', cutOneWay],
  ['has its links again', mend],
  ['has its links again', mend],
  ['loses its relayer', killRelay],
  ['loses its owner', killOwner],
  ['backs its log up', ({ log }) => log.backUp()],
  ['loses the end of its log', restore],
  ['has its encoder connect again', (place, { newSession }) => void (place.session = newSession())],
  ['gives the stream away', move],
  ['gives the stream away, and is cut off', moveAndCut],
  ['ends the stream', end],
  ['shortens its log', shorten],
  ['starts an edge again', (place, { newEdge }) => void place.edges.splice(1, 1, newEdge(place, 1))],
];

/** Makes one fault in that region. @returns what happened */
export function breakSomething(place: Place, ports: FaultPorts): string {
  const [what, run] = ports.random.pick(faults) ?? ['does nothing', () => {}];
  run(place, ports);
  return what;
}
