/**
 * Answers other regions that ask about a stream (R7): whether it is on air here, whether a node of this region claims it, and how far the region has come.
 *
 * It reads the ownership record, the log, and what edges and checkpoints say in 150 ms (C7), so that the answer is there in the 300 ms that the asking
 * region waits beyond the round trip. Of a stream that is on air here it asks nobody else: the log alone says that it is not to be had. Bound: so many questions at once, a few in wait.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import {
  streamFold,
  streamHeads,
  type StreamFold,
  type StreamHead,
  type StreamHeads,
} from '../../../cluster/contract/regions/claims.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { StreamOnAir } from '../../../cluster/contract/regions/on-air.ts';
import type { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { OwnershipStore } from '../../../cluster/ownership/ownership-store.ts';
import { holderOf } from '../../../cluster/ownership/take-over.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import { snapshotOf } from '../../media/timeline/bounded-snapshot.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import type { FoldedTimeline } from '../../media/timeline/timeline.ts';
import { headsOf, type HeadPorts } from '../owner/heads.ts';
import type { ClaimsHeard } from './claims-heard.ts';

export interface TellHeadsPorts extends HeadPorts {
  readonly region: RegionId;
  readonly log: IndexLog;
  readonly ownership: Pick<OwnershipStore, 'get'>;
  readonly heard: Pick<ClaimsHeard, 'isClaimedHere'>;
  /** Where an encoder publishes at that node; undefined for a node that is gone. */
  readonly rtmpUrlOf: (node: NodeId) => string | undefined;
}

const headsWithinMs = 150;

/** @returns what ends it */
export function tellHeads(others: Pick<OtherRegions, 'serve'>, ports: TellHeadsPorts): () => void {
  const gate = new Gate({ about: 'a question of another region about a stream', running: 8, waiting: 64 });
  const stops = [
    others.serve(streamHeads, ({ stream }) => gate.run(() => headsHere(stream, ports))),
    others.serve(streamFold, ({ stream }) => gate.run(() => foldHere(stream, ports))),
  ];
  return () => stops.forEach((stop) => stop());
}

async function headsHere(stream: StreamId, ports: TellHeadsPorts): Promise<StreamHeads> {
  const isClaiming = ports.heard.isClaimedHere(stream);
  const logged = foldOf(await ports.log.read(stream));
  const home = logged === undefined ? undefined : await homeHere(stream, logged, ports);
  if (logged !== undefined && home?.isOnAir === true) return { isClaiming, head: headOf(logged), home };
  const fold = await knownHere(stream, ports);
  if (fold === undefined) return { isClaiming };
  const ended = logged === undefined ? undefined : await homeHere(stream, fold, ports);
  return { isClaiming, head: headOf(fold), ...(ended === undefined ? {} : { home: ended }) };
}

function headOf({ epoch, nextNumber, periods }: FoldedTimeline): StreamHead {
  const period = periods.at(-1)?.id;
  return { epoch, nextNumber, ...(period === undefined ? {} : { period }) };
}

async function foldHere(stream: StreamId, ports: TellHeadsPorts): Promise<StreamFold> {
  const fold = await knownHere(stream, ports);
  return { region: ports.region, fold: fold === undefined ? null : snapshotOf(fold, fold.firstNumber).state };
}

/** The furthest that this region knows; undefined where it knows nothing. */
async function knownHere(stream: StreamId, ports: TellHeadsPorts): Promise<FoldedTimeline | undefined> {
  const [heads, entries] = await Promise.all([headsOf(stream, ports, headsWithinMs), ports.log.read(stream)]);
  const beyond = await heads.beyond(entries);
  if (beyond !== undefined) return beyond;
  return foldOf(entries);
}

const foldOf = (entries: readonly IndexEntry[]): FoldedTimeline | undefined =>
  entries.length === 0 ? undefined : entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

/** What this region's owner would tell, where the head of the log is this region's own. */
async function homeHere(
  stream: StreamId,
  fold: FoldedTimeline,
  { ownership, log, region, rtmpUrlOf }: TellHeadsPorts,
): Promise<StreamOnAir | undefined> {
  const [{ record }, tail] = await Promise.all([ownership.get(stream), log.tail(stream)]);
  const holder = holderOf(record, tail);
  const isRelayed = tail?.record.home !== undefined;
  if (tail === undefined || holder === undefined || holder.region !== region || isRelayed) return undefined;
  const { nextNumber, periods, availabilityStartMs = 0 } = fold;
  return {
    stream,
    epoch: holder.epoch,
    nextNumber,
    discontinuities: periods.at(-1)?.ordinal ?? 0,
    availabilityStartMs,
    isOnAir: tail.record.kind !== 'end',
    sinceMs: Math.max(0, Date.parse(holder.since) || 0),
    rtmpUrl: rtmpUrlOf(holder.owner) ?? '',
  };
}
