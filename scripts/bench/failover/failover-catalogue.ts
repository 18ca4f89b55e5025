/** Lists the cases of `bench failover`: what each breaks, by which time it is measured, and what must not happen. */
import { natsDown60, natsLeaderKilled, natsRestarted, nodesComeAndGo } from './failover-cases-nats.ts';
import { twinOtherKilled, twinOwnerFrozen, twinOwnerKilled } from './failover-cases-twins.ts';
import { ownerFrozen, ownerKilled, workerKilled } from './failover-cases.ts';
import type { Figures } from './failover-harm.ts';
import type { Rig } from './failover-rig.ts';

export interface FailoverCase {
  readonly name: string;
  readonly about: string;
  readonly natsServers: 1 | 3;
  /** Where 20 runs would take too long. */
  readonly runs?: number;
  /** Yields undefined for a run that did not show what it should measure. */
  readonly measure: (rig: Rig) => AsyncGenerator<Figures | undefined>;
  /** The time that p50, p95 and max are given for. */
  readonly time: TimeFigure;
  readonly harm: readonly HarmFigure[];
  /** Further times, which are reported and not judged. */
  readonly alsoTold: readonly TimeFigure[];
}

/** A figure in ms. */
export interface TimeFigure {
  readonly figure: string;
  readonly about: string;
  /** Absent: reported and not judged. */
  readonly target?: { readonly of: 'p95' | 'max'; readonly atMostMs: number };
}

/** A count, or a stall in ms. */
export interface HarmFigure {
  readonly figure: string;
  readonly about: string;
  readonly unit: 'ms' | '';
  /** The most in each run. Absent: reported and not judged. */
  readonly atMost?: number;
}

const count = (figure: string, about: string, atMost?: number): HarmFigure => ({
  figure,
  about,
  unit: '',
  ...(atMost === undefined ? {} : { atMost }),
});
const stallTold: HarmFigure = { figure: 'stallMs', about: 'stall at 8 s of buffer', unit: 'ms' };
const stall: HarmFigure = { ...stallTold, atMost: 0 };
/** The stall of a player at the hold-back that the playlist names (C8). */
const holdBackStall: HarmFigure = {
  figure: 'holdBackStallMs',
  about: "stall at the playlist's hold-back",
  unit: 'ms',
  atMost: 0,
};
const lost = count('lost', 'lost', 0);
const doubled = count('doubled', 'doubled', 0);
const discontinuities = (atMost?: number): HarmFigure => count('discontinuities', 'discontinuities', atMost);
const stale = count('stale', 'stale records', 0);
const ownershipChanges = count('ownershipChanges', 'ownership changes', 0);
const numberFaults = count('numberFaults', 'sequence faults', 0);
const declaredDead: TimeFigure = { figure: 'declaredDeadMs', about: 'declared dead' };
const natsHarm = [ownershipChanges, lost, doubled, discontinuities(0), stale];

const effective = (p95AtMostMs: number): TimeFigure => ({
  figure: 'effectiveMs',
  about: 'new owner effective',
  target: { of: 'p95', atMostMs: p95AtMostMs },
});
/** The rule gives 5 s (C8). */
const backlog: TimeFigure = {
  figure: 'backlogMs',
  about: 'server back to last late commit',
  target: { of: 'max', atMostMs: 5000 },
};
const inTime: TimeFigure = { figure: 'inTimeMs', about: 'server back to first commit in time' };

export const failoverCases: readonly FailoverCase[] = [
  {
    name: 'twin-owner-kill',
    about: 'dual ingest: SIGKILL of the owner',
    natsServers: 1,
    measure: twinOwnerKilled,
    time: effective(2000),
    harm: [lost, doubled, discontinuities(0), stale, numberFaults, stall],
    alsoTold: [declaredDead],
  },
  {
    name: 'twin-owner-freeze',
    about: 'dual ingest: SIGSTOP of the owner, SIGCONT 1 s after it has a successor',
    natsServers: 1,
    measure: twinOwnerFrozen,
    time: effective(3000),
    harm: [lost, doubled, discontinuities(0), stale, numberFaults, stall],
    alsoTold: [declaredDead],
  },
  {
    name: 'twin-other-kill',
    about: 'dual ingest: SIGKILL of an ingest that does not own the stream',
    natsServers: 1,
    measure: twinOtherKilled,
    time: { figure: 'nextCommitMs', about: 'next commit' },
    harm: [ownershipChanges, lost, doubled, discontinuities(0), stale, numberFaults, stall],
    alsoTold: [declaredDead],
  },
  {
    name: 'owner-kill',
    about: 'single ingest: SIGKILL of the owner, which has the only publisher',
    natsServers: 1,
    measure: ownerKilled,
    time: effective(2000),
    harm: [lost, doubled, discontinuities(1), stale, numberFaults, stall],
    alsoTold: [declaredDead],
  },
  {
    name: 'owner-freeze',
    about: 'single ingest: SIGSTOP of the owner, SIGCONT 1 s after it has a successor',
    natsServers: 1,
    measure: ownerFrozen,
    time: effective(3000),
    harm: [lost, doubled, discontinuities(), stale],
    alsoTold: [declaredDead],
  },
  {
    name: 'worker-kill',
    about: 'SIGKILL of a worker while it encodes',
    natsServers: 1,
    measure: workerKilled,
    time: {
      figure: 'redispatchMs',
      about: 'verdict to re-dispatch',
      target: { of: 'p95', atMostMs: 1000 },
    },
    harm: [
      ...[ownershipChanges, lost, doubled, discontinuities(0), stale],
      count('absent', 'renditions absent', 0),
      stall,
    ],
    alsoTold: [declaredDead, { figure: 'sinceKillMs', about: 'kill to re-dispatch' }],
  },
  {
    name: 'nats-kill',
    about: 'the only nats-server killed, started again after 2 s',
    natsServers: 1,
    measure: natsRestarted,
    time: backlog,
    harm: [...natsHarm, stall],
    alsoTold: [inTime],
  },
  {
    name: 'nats-leader',
    about: 'three servers: the leader of the log killed, started again after 2 s',
    natsServers: 3,
    measure: natsLeaderKilled,
    // Counted from the death, as nobody outside sees when the next leader serves. It includes the outage, so the 5 s do not apply.
    time: { figure: 'inTimeMs', about: "leader's death to first commit in time" },
    harm: [...natsHarm, holdBackStall, stallTold],
    alsoTold: [],
  },
  {
    name: 'nodes',
    about: 'six streams: the node with most of them killed, and back as a new boot',
    natsServers: 1,
    measure: nodesComeAndGo,
    time: { figure: 'effectiveMs', about: 'last of its streams has its new owner' },
    harm: [
      count('othersMoved', 'of others moved by the leaver', 0),
      count('movedTwice', 'moved more than once', 0),
      count('movedByJoin', 'moved by the joiner', 0),
    ],
    alsoTold: [],
  },
  {
    name: 'nats-60s',
    about: 'the only nats-server gone for 60 s',
    natsServers: 1,
    runs: 1,
    measure: natsDown60,
    time: backlog,
    harm: [
      ...natsHarm,
      { figure: 'stallBeyondOutageMs', about: 'stall beyond the outage', unit: 'ms', atMost: 3000 },
    ],
    alsoTold: [inTime],
  },
];

export const failoverCaseNames: readonly string[] = failoverCases.map(({ name }) => name);
