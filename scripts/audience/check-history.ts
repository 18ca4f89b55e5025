/**
 * Judges a history of simulated users on several edges: what they were acknowledged and is lost, what is doubled, reads that go back, likes
 * that are not the set, what was hidden and yet seen. Pure.
 *
 * It believes nobody but the users. A comment counts as acknowledged from the answer or the `ack` that its author got; what was asked and not
 * answered may have happened or not. The last reads, one at each edge, tell what there is in the end.
 */
import { findHiddenAndSeen, findWrongLikes } from './check-acts.ts';
import {
  findAway,
  findChanged,
  findDoubled,
  findLost,
  findMissed,
  findRefusedAndThere,
  findUnread,
  lastReads,
  type Finding,
} from './check-comments.ts';
import { findDisorder, findGoingBack } from './check-reads.ts';
import type { History, HistoryEvent } from './history.ts';

/** What may be wrong. The order is that of a report. */
export const faults = [
  'unread',
  'away',
  'lost',
  'missed',
  'doubled',
  'goingBack',
  'refusedAndThere',
  'changed',
  'disorder',
  'hiddenAndSeen',
  'wrongLikes',
] as const;
export type Fault = (typeof faults)[number];

export interface Counts {
  readonly users: number;
  readonly edges: number;
  readonly comments: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Sent, with no answer to the end: they may be there or not. */
  readonly open: number;
  readonly joins: number;
  readonly frames: number;
  readonly reads: number;
  /** Likes, and likes that were taken back, that were answered. */
  readonly likes: number;
}

export interface HistoryReport {
  readonly isGood: boolean;
  readonly counts: Counts;
  readonly faults: Readonly<Record<Fault, number>>;
  /** The first few of each. */
  readonly examples: readonly (Finding & { readonly fault: Fault })[];
  /** How often each reason was given for a comment that was not taken. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface CheckOptions {
  /** How long after its acknowledgement a hide may not have come everywhere. */
  readonly hideGraceMs: number;
}

const examplesOfEach = 5;

export function checkHistory(history: History, { hideGraceMs }: CheckOptions): HistoryReport {
  const found: Readonly<Record<Fault, readonly Finding[]>> = {
    unread: findUnread(history),
    away: findAway(history),
    lost: findLost(history),
    missed: findMissed(history),
    doubled: findDoubled(history),
    goingBack: findGoingBack(history),
    refusedAndThere: findRefusedAndThere(history),
    changed: findChanged(history),
    disorder: findDisorder(history),
    hiddenAndSeen: findHiddenAndSeen(history, hideGraceMs),
    wrongLikes: findWrongLikes(history),
  };
  return {
    isGood: faults.every((fault) => found[fault].length === 0),
    counts: countsOf(history),
    faults: {
      unread: found.unread.length,
      away: found.away.length,
      lost: found.lost.length,
      missed: found.missed.length,
      doubled: found.doubled.length,
      goingBack: found.goingBack.length,
      refusedAndThere: found.refusedAndThere.length,
      changed: found.changed.length,
      disorder: found.disorder.length,
      hiddenAndSeen: found.hiddenAndSeen.length,
      wrongLikes: found.wrongLikes.length,
    },
    examples: faults.flatMap((fault) =>
      found[fault].slice(0, examplesOfEach).map(({ comment, what }) => ({ fault, comment, what })),
    ),
    refusals: refusalsOf(history),
  };
}

function countsOf(history: History): Counts {
  const keys = (kind: HistoryEvent['kind']): Set<string> =>
    new Set(
      history.flatMap((event) =>
        event.kind === kind && 'clientId' in event ? [`${event.user} ${event.clientId}`] : [],
      ),
    );
  const sent = keys('sent');
  const acknowledged = keys('acknowledged');
  const refused = keys('refused').difference(acknowledged);
  const of = (kind: HistoryEvent['kind']): number => history.filter((event) => event.kind === kind).length;
  return {
    users: new Set(history.flatMap(({ kind, user }) => (kind === 'joined' || kind === 'sent' ? [user] : [])))
      .size,
    edges: lastReads(history).length,
    comments: sent.size,
    acknowledged: acknowledged.size,
    refused: refused.size,
    open: sent.difference(acknowledged).difference(refused).size,
    joins: of('joined'),
    frames: of('told'),
    reads: of('read'),
    likes: history.filter((event) => event.kind === 'like' && event.step === 'done').length,
  };
}

function refusalsOf(history: History): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const event of history)
    if (event.kind === 'refused') counts.set(event.code, (counts.get(event.code) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}
