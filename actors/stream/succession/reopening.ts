/**
 * Continues a period in a new one when no worker's encoder matches it any more, as in a rolling upgrade of ffmpeg (M7).
 *
 * G1. The owner opens a new period, with the encoder that the workers named, after two segments in a row whose lowest
 *     rung every asked worker refused or made with another init segment. No media is lost: what is pending goes on in
 *     the new period, and the fold of the log says the same.
 * G2. The media and its clock stay the same. The new period begins where its first pending segment does, and its media
 *     stays stored under the name that the sessions know (`storedAs`). So the sessions need not be told.
 * G3. Nothing is decided while the record is on its way. A period with nothing decided yet is not reopened for the
 *     encoder that it has already: an encoder that never makes two equal inits ends in gaps, not in a period for each
 *     segment.
 */
import type { ClockRecord, IndexRecord, SourceOffer } from '../../../cluster/contract/index-records.ts';
import type { PeriodId } from '../../../cluster/model/ids.ts';
import {
  findPeriod,
  periodsStoredAs,
  presentationTime90k,
  storePeriodOf,
} from '../../media/timeline/query.ts';
import type { Timeline, TimelinePeriod } from '../../media/timeline/timeline.ts';
import { enqueue } from '../owner/outbox.ts';
import type { OwnerState } from '../owner/owner-state.ts';
import { pipelineLimits, type Failure, type PendingSegment } from '../owner/state/pipeline-state.ts';
import type { Turn } from '../turn.ts';

const segmentsToReopen = 2;

/** Whether no worker so far has the encoder that this segment's period wants (G1). */
export function isUnmatched(segment: PendingSegment): boolean {
  return unmatchedFailures(segment).length > 0;
}

function unmatchedFailures({ tasks = [] }: PendingSegment): readonly Failure[] {
  return tasks
    .filter(
      ({ outcome, failures }) =>
        outcome === 'poisoned' && failures.every(({ code }) => code === 'FINGERPRINT_DIFFERS'),
    )
    .flatMap(({ failures }) => failures);
}

/** Whether a period that continues another is on its way into the log (G3). */
export function isReopening({ outbox }: OwnerState): boolean {
  return outbox.some((record) => record.kind === 'clock' && record.storedAs !== undefined);
}

/** Opens a new period with the encoder that the workers have, when none of them has the pinned one (G1). */
export function reopen(turn: Turn): void {
  const { pending, timeline, life, link } = turn.state;
  const [head] = pending;
  if (head === undefined || life !== 'active' || link.kind === 'down' || isReopening(turn.state)) return;
  const period = findPeriod(timeline, head.offer.period);
  const first = pending.slice(0, segmentsToReopen);
  if (
    period === undefined ||
    first.length < segmentsToReopen ||
    !first.every((one) => one.offer.period === period.id && isUnmatched(one))
  )
    return;
  const named = unmatchedFailures(head).findLast((one) => one.fingerprint !== undefined)?.fingerprint;
  const fingerprint = named ?? turn.state.settings.fingerprint;
  if (fingerprint === period.clock.fingerprint && !hasBegun(turn.state, period)) return;
  turn.count('reopened');
  turn.say('warn', "no worker makes this period's renditions any more; it goes on in a new period", {
    period: period.id,
    had: period.clock.fingerprint,
    has: fingerprint,
  });
  enqueue(turn, continuation(period, head.offer.start90k, fingerprint));
}

function hasBegun({ decided }: OwnerState, { id, segments }: TimelinePeriod): boolean {
  return segments.length > 0 || decided?.period === id;
}

type ClockBody = Omit<ClockRecord, 'epoch' | 'node' | 'region' | 'bootId' | 'recordId' | 'atMs'>;

/** The `clock` record of the continuation: the same media on the same clock, stored under the same names (G2). */
function continuation(period: TimelinePeriod, mediaZero90k: number, fingerprint: string): ClockBody {
  const { clock } = period;
  return {
    kind: 'clock',
    sessionId: clock.sessionId,
    mediaZero90k,
    presentationZero90k: presentationTime90k(period, mediaZero90k),
    availabilityStartMs: clock.availabilityStartMs,
    connectionZeroMs: clock.connectionZeroMs + (mediaZero90k - clock.mediaZero90k) / 90,
    sequenceHeaderHash: clock.sequenceHeaderHash,
    renditions: clock.renditions,
    fingerprint,
    storedAs: storePeriodOf(period),
  };
}

/** Moves what is pending to the new period, whose record is now in the log; its renditions are made anew. */
export function continuePending(turn: Turn, { storedAs, mediaZero90k }: ClockRecord, period: PeriodId): void {
  if (storedAs === undefined) return;
  const { timeline, pending, outbox, nowMs } = { ...turn.state, nowMs: turn.nowMs };
  const parts = new Set(periodsStoredAs(timeline, storedAs).map(({ id }) => id));
  const isPart = (one: Pick<SourceOffer, 'period' | 'start90k'>): boolean =>
    parts.has(one.period) && one.start90k >= mediaZero90k;
  turn.set({
    headSinceAtMs: nowMs,
    pending: pending.map((segment) =>
      isPart(segment.offer)
        ? {
            ...segment,
            offer: { ...segment.offer, period },
            spares: segment.spares.map((one) => ({ ...one, period })),
            isBacklog: true,
            tasks: undefined,
            dropped: new Set(),
            outputs: new Map(),
          }
        : segment,
    ),
    outbox: outbox.map((record): IndexRecord =>
      record.kind === 'source' && isPart(record) ? { ...record, period } : record,
    ),
  });
}

/** The period to which media belongs at that time, when a session stores it under a name (G2). */
export function inPresentPeriod(timeline: Timeline, offer: SourceOffer): SourceOffer {
  const parts = periodsStoredAs(timeline, offer.period);
  const latest90k = offer.start90k + pipelineLimits.joinTolerance90k;
  const period = parts.findLast(({ clock }) => clock.mediaZero90k <= latest90k) ?? parts[0];
  return period === undefined || period.id === offer.period ? offer : { ...offer, period: period.id };
}
