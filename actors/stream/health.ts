/** Describes the health of a stream, in words and figures, from what its owner knows. */
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import type { NodeId, RenditionName } from '../../cluster/model/ids.ts';
import { isPresent } from '../../cluster/contract/index-records.ts';
import { presentationTime90k, servedRenditions } from '../media/timeline/query.ts';
import type { TimelinePeriod } from '../media/timeline/timeline.ts';
import type { Now, OwnerState } from './owner/owner-state.ts';
import { publisherLimits, type Session } from './owner/state/publishers-state.ts';
import { packetAgeMs } from './owner/sessions.ts';

/** A fault in one of so many last segments makes the stream degraded. */
const recentSegments = 5;
/** Gaps count as recent for so long: an older one says nothing about the stream now. */
const recentGapsMs = 600_000;
/** How long health tells of a refused publisher. */
const refusalShownMs = 60_000;

export function healthOf(state: OwnerState, successors: readonly NodeId[], now: Now): StreamHealth {
  const { self, since } = state;
  const session = state.sessions.findLast((one) => one.isActive);
  const warnings = session?.input?.warnings ?? [];
  const { input } = session ?? {};
  return {
    ...judgement(state, now),
    owner: self.node,
    region: self.region,
    epoch: self.epoch,
    bootId: self.bootId,
    since: new Date(since.utcMs).toISOString(),
    ownedBecause: state.reason,
    successors: [...successors],
    asOf: new Date(now.utcMs).toISOString(),
    ...(session === undefined
      ? {}
      : {
          input: {
            ...plainInput(input),
            sessionId: session.id,
            warnings,
            lastPacketAgeMs: Math.round(packetAgeMs(session, now.runningMs)),
          },
        }),
    sessions: state.sessions.map((one) => sessionHealth(one, now)),
    renditions: renditionHealth(state, now),
  };
}

function sessionHealth(one: Session, now: Now): NonNullable<StreamHealth['sessions']>[number] {
  return {
    sessionId: one.id,
    node: one.node,
    role: roleOf(one),
    remoteAddress: one.remoteAddress,
    ...(one.encoder === undefined ? {} : { encoder: one.encoder }),
    ...(one.input === undefined ? {} : { bitrateBps: one.input.bitrateBps }),
    lastPacketAgeMs: Math.round(packetAgeMs(one, now.runningMs)),
    warnings: one.input?.warnings ?? [],
  };
}

function roleOf({ isActive, candidateSinceMs }: Session): 'active' | 'candidate' | 'superseded' {
  if (isActive) return 'active';
  return candidateSinceMs === undefined ? 'superseded' : 'candidate';
}

function plainInput(input: OwnerState['sessions'][number]['input']): StreamHealth['input'] {
  if (input === undefined) return {};
  const { streamId: _, ...plain } = input;
  return plain;
}

function judgement(state: OwnerState, now: Now): Pick<StreamHealth, 'state' | 'reason'> {
  const isLive = state.sessions.some((one) => one.isActive);
  const refusal = state.lastRefusal;
  if (!isLive) {
    const isRefused = refusal !== undefined && now.runningMs - refusal.atMs < refusalShownMs;
    return isRefused
      ? { state: 'refused', reason: refusal.reason }
      : { state: 'offline', reason: 'No publisher is connected.' };
  }
  const period = state.timeline.periods.at(-1);
  if (period === undefined || period.segments.length === 0)
    return { state: 'starting', reason: 'Waiting for the first segment.' };
  const fault = faultOf(state, period, now);
  return fault === undefined ? { state: 'live', reason: state.reason } : { state: 'degraded', reason: fault };
}

function faultOf(state: OwnerState, period: TimelinePeriod, now: Now): string | undefined {
  if (state.link.kind === 'down') {
    const seconds = Math.round((now.runningMs - state.link.sinceAtMs) / 1000);
    return `The index log has not answered for ${seconds} s: nothing new is shown, nothing is lost.`;
  }
  const recent = period.segments.slice(-recentSegments);
  const gaps = recent.filter((segment) => segment.isGap).length;
  if (gaps > 0) return `${gaps} of the last ${recent.length} segments are gaps.`;
  const absent = new Set(
    recent.flatMap((one) =>
      Object.entries(one.renditions)
        .filter(([, media]) => !isPresent(media))
        .map(([name]) => name),
    ),
  );
  if (absent.size > 0) return `Missing in recent segments: ${[...absent].join(', ')}.`;
  const session = state.sessions.findLast((one) => one.isActive);
  if (session !== undefined && packetAgeMs(session, now.runningMs) >= publisherLimits.ghostMs)
    return 'The publisher sends nothing.';
  return session?.input?.fault;
}

function renditionHealth({ timeline }: OwnerState, now: Now): StreamHealth['renditions'] {
  const period = timeline.periods.at(-1);
  const { availabilityStartMs: startMs = 0 } = timeline;
  return lagsMs({ timeline }, now).map(({ name, lagMs }) => ({
    name,
    lagMs,
    gaps: period?.segments.filter((segment) => !isPresent(segment.renditions[name])).length ?? 0,
    recentGaps: gapsSince(timeline, name, (now.utcMs - startMs - recentGapsMs) * 90),
  }));
}

/** For each rendition that viewers get: how far the end of its newest segment lies behind now. */
export function lagsMs(
  { timeline }: Pick<OwnerState, 'timeline'>,
  now: Now,
): readonly { readonly name: RenditionName; readonly lagMs: number }[] {
  const period = timeline.periods.at(-1);
  const { availabilityStartMs: startMs } = timeline;
  if (period === undefined || startMs === undefined) return [];
  return servedRenditions(period).map(({ name }) => {
    const last = period.segments.findLast((segment) => isPresent(segment.renditions[name]));
    const end90k = last === undefined ? 0 : last.start90k + last.duration90k;
    return {
      name,
      lagMs: Math.max(0, Math.round(now.utcMs - startMs - presentationTime90k(period, end90k) / 90)),
    };
  });
}

/**
 * Counts segments without the rendition that begin after a presentation time. Periods that never had the rendition do
 * not count.
 */
function gapsSince({ periods }: OwnerState['timeline'], name: RenditionName, after90k: number): number {
  let gaps = 0;
  for (const period of periods) {
    if (!servedRenditions(period).some((one) => one.name === name)) continue;
    for (let index = period.segments.length - 1; index >= 0; index--) {
      const segment = period.segments[index];
      if (segment === undefined || presentationTime90k(period, segment.start90k) <= after90k) break;
      if (!isPresent(segment.renditions[name])) gaps++;
    }
  }
  return gaps;
}
