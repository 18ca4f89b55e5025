/**
 * What an edge tells viewers of a stream whose home is another region (R3): where it is at home, and since when that region is not heard.
 *
 * The home is the region that told so. A node that has not heard of it since it began takes the region of the newest epoch in its log (C5).
 *
 * Right after a cut nobody here can tell it from a publisher that sends nothing. So silence of another region's stream counts only for as long
 * as its link has worked, and later, by the time within which a cut is noticed.
 */
import type { StreamState } from '../../../cluster/contract/api/control-routes.ts';
import type { Epoch, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { regionOfEpoch } from '../../../cluster/region/topology/topology.ts';
import type { Topology } from '../../../cluster/region/topology/topology.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import { cutNoticedMs, type OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { StreamStanding } from './stream-state.ts';

/** The other regions' part of an edge. */
export interface RegionsPart {
  readonly region: RegionId;
  readonly topology: Topology;
  readonly elsewhere: Pick<Elsewhere, 'homeOf'>;
  readonly others: Pick<OtherRegions, 'links'>;
  readonly clock: Clock;
  /** How far the wall clock of another region is ahead of this host's. */
  readonly aheadMs: (region: RegionId) => number;
}

export interface Unheard {
  readonly region: RegionId;
  /** Since when its link is down, in UTC ms as this node noticed it. */
  readonly sinceMs: number;
}

export interface SeenStanding extends StreamStanding {
  /** What stands here was true before the link to that region went down. */
  readonly unheard: Unheard | undefined;
}

/** The region that owns the stream by what is known here, if that cannot be reached. */
export function unheardHome(stream: StreamId, epoch: Epoch, part: RegionsPart): Unheard | undefined {
  const home = otherHome(stream, epoch, part);
  return home === undefined ? undefined : cutOff(part, home);
}

/** The region that owns the stream by what is known here, unless that is this one. */
function otherHome(
  stream: StreamId,
  epoch: Epoch,
  { elsewhere, topology, region }: RegionsPart,
): RegionId | undefined {
  const home = elsewhere.homeOf(stream)?.region ?? (epoch > 0 ? regionOfEpoch(topology, epoch) : undefined);
  return home === region ? undefined : home;
}

/**
 * For how long its publisher has been silent for certain. While the link to its home is down, nobody knows, and `unheard` says so.
 *
 * @param silentMs for how long this region's log was
 */
export function certainSilenceMs(
  stream: StreamId,
  { epoch, silentMs }: { readonly epoch: Epoch; readonly silentMs: number },
  part: RegionsPart,
): number {
  const home = otherHome(stream, epoch, part);
  const link = part.others.links().find(({ region }) => region === home);
  if (link?.isUp !== true) return silentMs;
  const upMs = part.clock.monotonicMs() - link.sinceMs;
  return Math.max(0, Math.min(silentMs, upMs) - cutNoticedMs);
}

function cutOff({ others, clock }: RegionsPart, region?: RegionId): Unheard | undefined {
  const link = others.links().find((one) => !one.isUp && (region === undefined || one.region === region));
  if (link === undefined) return undefined;
  const forMs = Math.max(0, clock.monotonicMs() - link.sinceMs);
  return { region: link.region, sinceMs: Math.round(clock.utcMs() - forMs) };
}

export interface SeenLog {
  readonly standing: StreamStanding;
  readonly epoch: Epoch;
  /** When its publisher was last heard, by its owner's UTC; 0 for never. */
  readonly heardAtMs: number;
}

/**
 * Corrects what this region's log says by what other regions told: the log of a stream that is on air elsewhere may still be empty here.
 *
 * @param seen `standing` by the log, `epoch` the newest in it; 0 for an empty log
 */
export function seenStanding(
  stream: StreamId,
  { standing, epoch, heardAtMs }: SeenLog,
  part: RegionsPart,
): SeenStanding {
  const home = part.elsewhere.homeOf(stream);
  const cut = unheardHome(stream, epoch, part);
  const heardHereMs = cut === undefined || heardAtMs === 0 ? 0 : heardAtMs - part.aheadMs(cut.region);
  const unheard = arrivedUntil(heardHereMs, standing, cut);
  const isOnAirThere = home?.isOnAir === true;
  if (standing.state === 'notBegun' && isOnAirThere && home.nextNumber > 0)
    return { state: unheard === undefined ? 'live' : 'interrupted', sinceMs: home.sinceMs, unheard };
  if (standing.state === 'notBegun' && home === undefined)
    return { ...standing, unheard: unheard ?? cutOff(part) };
  return isOver(standing.state) && !isOnAirThere
    ? { ...standing, unheard: undefined }
    : { ...standing, unheard };
}

/**
 * A node that began during the cut may take it for younger than it is: nothing has arrived since the log ends.
 *
 * @param heardHereMs by this host's clock, so that a clock over there that is behind makes no cut older; 0 for never
 */
function arrivedUntil(
  heardHereMs: number,
  { state }: StreamStanding,
  unheard: Unheard | undefined,
): Unheard | undefined {
  const isHere = heardHereMs > 0 && (state === 'live' || state === 'interrupted');
  if (unheard === undefined || !isHere) return unheard;
  return { ...unheard, sinceMs: Math.min(unheard.sinceMs, Math.round(heardHereMs)) };
}

/** Nobody waits for more of it. */
const isOver = (state: StreamState): boolean => state === 'ended' || state === 'recording';
