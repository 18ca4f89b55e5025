/**
 * Takes a stream over: first the ownership record is won, then the log is opened (C1).
 *
 * T1. The record alone gives no ownership. It is raised by compare-and-set to an epoch above that of the record, of the log's
 *     head, and of every head known elsewhere.
 * T2. The log is the fence. `open` is appended behind the tail that was read after the record was won, and only if the epoch
 *     of that tail is below ours. If the append is refused, somebody wrote in between, and the tail is read again.
 * T3. Ownership counts from the acknowledgement of `open`. Nothing is done before it.
 * T4. An `open` whose acknowledgement was lost is recognised by its recordId.
 * T5. A record may be lost while its owner lives, or be restored from an older backup. Where the log's head has a higher epoch
 *     than the record, the author of the head is the owner.
 */
import type { IndexEntry, OpenRecord } from '../contract/index-records.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import type { BootId, Epoch, NodeId, RegionId, StreamId } from '../model/ids.ts';
import { nextEpoch } from './epoch.ts';
import type { IndexLog } from '../log/index-log.ts';
import type { OwnershipRecord, OwnershipStore } from './ownership-store.ts';

/** How often a lost race is tried again before the caller hears of it. */
const maxTries = 5;

export interface Claim {
  readonly stream: StreamId;
  readonly node: NodeId;
  readonly region: RegionId;
  readonly bootId: BootId;
  readonly regionOrdinal: number;
  /** Makes the reason for the take-over, in words, from the former owner's record. */
  readonly reason: (former: OwnershipRecord | undefined) => string;
  /** Says whether the owner that a record names may be replaced: it is gone, or it is an earlier boot of this node. */
  readonly mayTakeFrom: (record: OwnershipRecord) => Promise<boolean>;
  readonly utcMs: () => number;
  readonly newRecordId: () => string;
  /** Epochs of heads seen at edges and in checkpoints (C5, C7). */
  readonly seenEpochs?: readonly Epoch[];
  /** The branch of another region that this owner goes on with, behind that record (R6). */
  readonly branchBehind?: (tail: IndexEntry | undefined) => Promise<OpenRecord['from']>;
}

export interface Ownership {
  readonly epoch: Epoch;
  readonly record: OwnershipRecord;
  /** The sequence of our `open`, which the first append must name. */
  readonly openSequence: number;
}

/**
 * Becomes the owner. Returns only after the log has acknowledged `open` (T3).
 *
 * @throws TangazaError `NOT_OWNER` with `data.owner` when a live node owns the stream; `FENCED` when others win every time;
 *   `LOG_UNAVAILABLE`
 */
export async function takeOver(log: IndexLog, store: OwnershipStore, claim: Claim): Promise<Ownership> {
  for (let attempt = 1; attempt <= maxTries; attempt += 1) {
    const record = await winRecord(log, store, claim);
    const openSequence = record === undefined ? undefined : await appendOpen(log, claim, record);
    if (record !== undefined && openSequence !== undefined)
      return { epoch: record.epoch, record, openSequence };
  }
  throw new TangazaError('FENCED', `${claim.stream}: others took it ${maxTries} times in a row`);
}

/** Raises the record to our epoch (T1). @returns undefined when another node changed it meanwhile */
async function winRecord(
  log: IndexLog,
  store: OwnershipStore,
  claim: Claim,
): Promise<OwnershipRecord | undefined> {
  const { record: former, revision } = await store.get(claim.stream);
  const head = await log.tail(claim.stream);
  const holder = holderOf(former, head);
  if (holder !== undefined && !(await claim.mayTakeFrom(holder)))
    throw new TangazaError('NOT_OWNER', `${claim.stream} is owned by ${holder.owner}`, {
      data: { owner: holder.owner },
    });
  const epoch = nextEpoch(
    [former?.epoch, head?.record.epoch, ...(claim.seenEpochs ?? [])],
    claim.regionOrdinal,
  );
  const record: OwnershipRecord = {
    owner: claim.node,
    region: claim.region,
    bootId: claim.bootId,
    epoch,
    since: new Date(claim.utcMs()).toISOString(),
    reason: claim.reason(former),
  };
  try {
    await store.put(claim.stream, record, revision);
    return record;
  } catch (error) {
    if (errorCodeOf(error) === 'CONFLICT') return undefined;
    throw error;
  }
}

/** Who holds the stream: the owner in the record, or the author of a log's head with a higher epoch (T5). */
export function holderOf(
  former: OwnershipRecord | undefined,
  head: IndexEntry | undefined,
): OwnershipRecord | undefined {
  if (head === undefined || head.record.epoch <= (former?.epoch ?? 0)) return former;
  const { node: owner, region, bootId, epoch, atMs } = head.record;
  return { owner, region, bootId, epoch, since: new Date(atMs).toISOString(), reason: 'its record was lost' };
}

/** Appends `open` behind the tail (T2). @returns undefined when the log shows an epoch that is not below ours */
async function appendOpen(log: IndexLog, claim: Claim, record: OwnershipRecord): Promise<number | undefined> {
  const open: OpenRecord = {
    kind: 'open',
    epoch: record.epoch,
    node: claim.node,
    region: claim.region,
    bootId: claim.bootId,
    recordId: claim.newRecordId(),
    atMs: claim.utcMs(),
  };
  for (let attempt = 1; attempt <= maxTries; attempt += 1) {
    const tail = await log.tail(claim.stream);
    if (isOwn(tail, open)) return tail?.sequence;
    if (tail !== undefined && tail.record.epoch >= record.epoch) return undefined;
    const from = await claim.branchBehind?.(tail);
    try {
      const sent = from === undefined ? open : { ...open, from };
      return await log.append(claim.stream, sent, tail?.sequence ?? 0);
    } catch (error) {
      // The next turn of the loop reads the tail, and finds our own record if it was written (T4).
      const code = errorCodeOf(error);
      if ((code !== 'FENCED' && code !== 'LOG_UNAVAILABLE') || attempt === maxTries) throw error;
    }
  }
  return undefined;
}

function isOwn(tail: IndexEntry | undefined, open: OpenRecord): boolean {
  return tail?.record.recordId === open.recordId;
}
