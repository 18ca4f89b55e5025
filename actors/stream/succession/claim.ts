/**
 * Makes a node the owner of a stream: asks what is known of it, takes the record and the log, and reads what is there
 * (C1, C7).
 *
 * activations.ts D1 says from whom a stream may be taken.
 */
import type { FeedingSession } from '../../../cluster/contract/stream-actions.ts';
import type { BootId, NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { OwnershipRecord, OwnershipStore } from '../../../cluster/ownership/ownership-store.ts';
import type { IndexEntry, OpenRecord } from '../../../cluster/contract/index-records.ts';
import { splitEpoch } from '../../../cluster/ownership/epoch.ts';
import { takeOver } from '../../../cluster/ownership/take-over.ts';
import type { Across } from './across.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import type { FoldedTimeline } from '../../media/timeline/timeline.ts';
import { headsOf, type HeadPorts } from '../owner/heads.ts';
import type { TakenStream } from '../owner/owner.ts';

export interface Claim {
  /** A publisher asks for the stream, so it may begin here although its last broadcast was in another region (R7). */
  readonly isPublished?: boolean;
  /** The reason that people read; without it, what was found says it. */
  readonly reason?: string;
  /** Says whether the claim may take more from a living owner: what that owner has given away. */
  readonly mayTakeFrom?: (former: OwnershipRecord) => boolean;
  readonly feeding?: readonly FeedingSession[];
}

export interface ClaimPorts extends HeadPorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly bootId: BootId;
  /** Fixed for each region and never used again (C5); 0 in a cluster of one region. */
  readonly regionOrdinal?: number;
  readonly log: IndexLog;
  readonly ownership: OwnershipStore;
  /** Whether that boot of that node is a member. */
  readonly isAlive: (node: NodeId, bootId: BootId) => boolean;
  /** Reads the list of members again. */
  readonly refreshMembers: () => Promise<void>;
  /** Asks the other regions; absent where there are none. @throws TangazaError `STREAM_BUSY` */
  readonly askAcross?: (stream: StreamId, tail: IndexEntry | undefined) => Promise<Across>;
}

/**
 * @param recordId for the `open`; unique in this process
 * @throws TangazaError `NOT_OWNER` with `data.owner`, `STREAM_BUSY` with `data.region`, `FENCED`, `LOG_UNAVAILABLE`
 */
export async function claimStream(
  stream: StreamId,
  { claim, recordId }: { readonly claim: Claim; readonly recordId: string },
  ports: ClaimPorts,
): Promise<Omit<TakenStream, 'settings'>> {
  const across = claim.isPublished === true ? await askRegions(stream, ports) : undefined;
  try {
    return await claimBehind(stream, { claim, recordId, across }, ports);
  } finally {
    across?.done();
  }
}

/** Asks the other regions, unless the broadcast goes on in this one. */
async function askRegions(
  stream: StreamId,
  { ownership, log, askAcross }: ClaimPorts,
): Promise<Across | undefined> {
  if (askAcross === undefined) return undefined;
  const [{ record }, tail] = await Promise.all([ownership.get(stream), log.tail(stream)]);
  const isHome = tail !== undefined && tail.record.home === undefined && tail.record.kind !== 'end';
  const goesOnHere = record !== undefined && record.endedAt === undefined && isHome;
  return goesOnHere ? undefined : askAcross(stream, tail);
}

async function claimBehind(
  stream: StreamId,
  { claim, recordId, across }: { claim: Claim; recordId: string; across: Across | undefined },
  ports: ClaimPorts,
): Promise<Omit<TakenStream, 'settings'>> {
  const { node, region, bootId, regionOrdinal = 0, log, ownership, clock, logger } = ports;
  const heads = await headsOf(stream, ports);
  const { epoch, record } = await takeOver(log, ownership, {
    stream,
    node,
    region,
    bootId,
    regionOrdinal,
    seenEpochs: [...heads.epochs, ...(across?.epochs ?? [])],
    branchBehind: (tail) => branchBehind(stream, { tail, across }, ports),
    reason: (former) => claim.reason ?? reasonFor(former, ports),
    mayTakeFrom: async (former) =>
      claim.mayTakeFrom?.(former) === true || mayTakeFrom(stream, former, claim, ports),
    utcMs: () => clock.utcMs(),
    newRecordId: () => recordId,
  });
  // Who asks from now on reads the `open`.
  across?.done();
  const entries = await log.read(stream);
  const [beyond, ofOther] = await Promise.all([heads.beyond(entries), across?.furthest(entries)]);
  if (beyond !== undefined)
    logger.error(
      { stream, nextNumber: beyond.nextNumber },
      'the log lacks what is known elsewhere; this owner writes it again',
    );
  logger.info({ stream, epoch, records: entries.length, reason: record.reason }, 'this node owns the stream');
  const self = { stream, region, node, bootId, epoch };
  return { self, reason: record.reason, entries, beyond, ofOther, feeding: claim.feeding ?? [] };
}

/**
 * The branch of another region that this owner goes on with (R6): the one that this log ends with, or a higher one that another region knows.
 * Without it, folds would go on counting as that region's owner did.
 */
async function branchBehind(
  stream: StreamId,
  { tail, across }: { readonly tail: IndexEntry | undefined; readonly across: Across | undefined },
  { log, regionOrdinal = 0 }: ClaimPorts,
): Promise<OpenRecord['from']> {
  const branch = across?.branch;
  const isOther = branch !== undefined && splitEpoch(branch.epoch).regionOrdinal !== regionOrdinal;
  if (isOther && branch.epoch > (tail?.record.epoch ?? 0)) return branch;
  if (tail?.record.home === undefined) return undefined;
  const { region, epoch } = tail.record;
  const folded = (await log.read(stream)).reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  return { region, epoch, number: Math.max(0, folded.nextNumber - (folded.branch?.shift ?? 0)) };
}

function reasonFor(former: OwnershipRecord | undefined, { isAlive, node, bootId }: ClaimPorts): string {
  if (former === undefined) return 'first publish';
  if (former.owner !== node)
    return isAlive(former.owner, former.bootId)
      ? `published here; ${former.owner} no longer owned it`
      : `owner died (${former.owner})`;
  return former.bootId === bootId ? 'published again' : 'this node was restarted';
}

/**
 * Whether the stream may be taken from its former owner (activations.ts D1). A boot that this node does not know may
 * have joined while this node heard nothing, because a record can be newer than the view. So it reads the view again
 * first (found by the simulator, seed 34). Where the log's head is relayed, the former owner is of another region. That it is not in this
 * region's view says nothing: only a publisher, who has asked the other regions, may begin (R4, R7).
 */
async function mayTakeFrom(
  stream: StreamId,
  former: OwnershipRecord,
  { isPublished = false }: Claim,
  ports: ClaimPorts,
): Promise<boolean> {
  const tail = await ports.log.tail(stream);
  if (tail?.record.home !== undefined) return isPublished;
  if (former.owner === ports.node || tail?.record.kind === 'end') return true;
  if (!ports.isAlive(former.owner, former.bootId)) await ports.refreshMembers();
  return !ports.isAlive(former.owner, former.bootId);
}

/**
 * Takes up what an earlier boot of this node owned and had not ended (stream-actor.ts N1), unless another region has it now (R4). The next
 * publish takes up what fails here.
 *
 * @param takeUp is called for one stream after the other
 */
export async function takeUpOwn(
  { ownership, log, node, bootId, logger }: ClaimPorts,
  takeUp: (stream: StreamId) => unknown,
): Promise<void> {
  try {
    for (const [stream, record] of (await ownership.list()).records) {
      if (record.owner !== node || record.bootId === bootId || record.endedAt !== undefined) continue;
      const tail = await log.tail(stream);
      const isRelayed = tail?.record.home !== undefined;
      if (tail !== undefined && tail.record.kind !== 'end' && !isRelayed) await takeUp(stream);
    }
  } catch (error) {
    logger.warn({ err: error }, 'could not take up what an earlier boot owned; the next publish does it');
  }
}
