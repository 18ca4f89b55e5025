/**
 * When a node reads the store because an event may have been lost (A7). It is a value: time and what happened go in, and when to read and
 * from when on come out.
 *
 * Each doubt is read for at 0, 2, 5, 15, 30 and 60 s, as what another data centre knows may come late. A read that failed is due again at the next look.
 * While NATS is silent, the store is read at each look, unless another node reads for this one; what the first of those reads covers stays in
 * doubt until NATS is back. And every 30 s it is
 * read in any case, so that what nobody told is found as well: a user who was erased, an event that was lost unnoticed.
 *
 * Bound: doubts of one second are one, and a doubt ends after its last read, so that there are about 60 at most.
 */
export const readAtMs: readonly number[] = [0, 2000, 5000, 15_000, 30_000, 60_000];
/** How long before a doubt an event may have been lost unnoticed: until a head has been missed, or a death has been declared. */
export const unnoticedMs = 30_000;
/** Doubts that are this close are one. */
const oneDoubtMs = 1000;
/** While NATS is silent, and in routine, each read begins so long before the last one. */
const overlapMs = 5000;
export const routineMs = 30_000;

interface Doubt {
  /** What arrived since then may be missing here. */
  readonly fromMs: number;
  readonly beganMs: number;
  /** How many of its reads are done. */
  readonly reads: number;
}

export interface ReadPlan {
  readonly doubts: readonly Doubt[];
  /** Set while NATS is silent: from when on the next read begins. */
  readonly silentFromMs?: number | undefined;
  /** What the store had at this time was read. Undefined until the stream was read once. */
  readonly readToMs?: number | undefined;
}

export const nothingToRead: ReadPlan = { doubts: [] };

/** Something may have been lost. @param nowMs UTC, as the store's times are */
export function doubted(plan: ReadPlan, nowMs: number, fromMs = nowMs - unnoticedMs): ReadPlan {
  const last = plan.doubts.at(-1);
  const isSame = last !== undefined && Math.abs(nowMs - last.beganMs) < oneDoubtMs;
  const before = isSame ? plan.doubts.slice(0, -1) : plan.doubts;
  const doubt = isSame
    ? { fromMs: Math.min(fromMs, last.fromMs), beganMs: last.beganMs, reads: 0 }
    : { fromMs, beganMs: nowMs, reads: 0 };
  return { ...plan, doubts: [...before, doubt] };
}

/** NATS has fallen silent, or it is back. */
export function heardOfNats(plan: ReadPlan, isSilent: boolean, nowMs: number): ReadPlan {
  if (isSilent)
    return plan.silentFromMs === undefined ? { ...plan, silentFromMs: nowMs - unnoticedMs } : plan;
  if (plan.silentFromMs === undefined) return plan;
  const { silentFromMs, ...rest } = plan;
  return doubted(rest, nowMs, Math.min(silentFromMs, nowMs - unnoticedMs));
}

/** The stream was read for the first time. */
export const begun = (plan: ReadPlan, beganMs: number): ReadPlan => ({ ...plan, readToMs: beganMs });

/**
 * Until when this node has told all that was accepted anywhere. While NATS is silent, or other regions write, that is as far as the last read:
 * a store that answers late, or a node that stands still, holds it back. So does a doubt until it was read for once.
 */
export function knownTo({ silentFromMs, doubts }: ReadPlan, nowMs: number): number {
  const readToMs = silentFromMs === undefined ? nowMs : silentFromMs + overlapMs;
  const unread = doubts.filter(({ reads }) => reads === 0).map(({ fromMs }) => fromMs);
  return Math.min(nowMs, readToMs, ...unread);
}

/** Another node has read, and told what was there at that time. */
export function readElsewhere(plan: ReadPlan, toMs: number): ReadPlan {
  const { silentFromMs } = plan;
  return silentFromMs === undefined
    ? plan
    : { ...plan, silentFromMs: Math.max(silentFromMs, toMs - overlapMs) };
}

/**
 * From when on the store is to be read now; undefined: there is no need to.
 *
 * @param isReadElsewhere another node reads what NATS does not bring
 */
export function dueFrom(plan: ReadPlan, nowMs: number, isReadElsewhere = false): number | undefined {
  const due = plan.doubts.filter((one) => dueReads(one, nowMs) > one.reads).map(({ fromMs }) => fromMs);
  const silent = plan.silentFromMs === undefined || isReadElsewhere ? [] : [plan.silentFromMs];
  const { readToMs } = plan;
  const routine = readToMs === undefined || nowMs - readToMs < routineMs ? [] : [readToMs - overlapMs];
  const all = [...due, ...silent, ...routine];
  return all.length === 0 ? undefined : Math.min(...all);
}

/** A read that was due and began at `beganMs` has given everything since `fromMs`. */
export function hasRead(plan: ReadPlan, beganMs: number, fromMs: number): ReadPlan {
  const doubts = plan.doubts
    .map((one) => ({ ...one, reads: Math.max(one.reads, dueReads(one, beganMs)) }))
    .filter(({ reads }) => reads < readAtMs.length);
  const { silentFromMs, readToMs } = plan;
  const isWhole = readToMs !== undefined && fromMs <= readToMs;
  return {
    doubts,
    silentFromMs: silentFromMs === undefined ? undefined : Math.max(silentFromMs, beganMs - overlapMs),
    readToMs: isWhole ? Math.max(beganMs, readToMs) : readToMs,
  };
}

/** How many reads of a doubt are due. A clock that was set back makes it due at once. */
function dueReads({ beganMs }: Doubt, nowMs: number): number {
  if (nowMs < beganMs) return 1;
  return readAtMs.filter((ms) => nowMs - beganMs >= ms).length;
}
