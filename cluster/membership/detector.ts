/**
 * Decides, as one monitor of several, which members are dead: a state machine without a port (C3).
 *
 * Each live member is watched by up to three others, its monitors, which rendezvous hashing chooses. A monitor probes over
 * NATS every 250 ms. Only while that fails it also probes over HTTP. A failed NATS probe alone is never evidence: an election
 * or a killed server silences healthy nodes for half a second. Monitors publish whom they accuse. A monitor that accuses, and
 * hears of enough other accusers, declares the death by compare-and-set on the view. If two do it at once, it is done once.
 *
 * D1. A member is accused after 3 NATS probes in a row have failed, and an HTTP probe was refused once or timed out twice.
 * D2. A verdict needs min(2, monitors) accusers. Only monitors of the member count.
 * D3. Nothing counts while this process was late by over 200 ms in the last second, or for 5 s after its own NATS connection
 *     came back: then this node itself is ill.
 * D4. The brake lets through at most max(1, floor(0.4 N)) deaths in any 10 s. If there are more suspects, all of them are held.
 * D5. A suspect that is held, or lacks accusers because its monitors are suspects themselves, is declared dead after 30 s if
 *     every monitor that is no suspect accuses it. The compare-and-set itself proves that the view can be written.
 *     An operator who knows better lifts the wait and the brake for the lives that are accused at that moment and stay so.
 * D6. An accusation names an incarnation, lasts 3 s and is repeated every second, so that a lost message does no harm. A
 *     verdict is repeated in the same way until the view shows the death: when many die at once, writes to the view are scarce.
 */
import type { NodeId } from '../model/ids.ts';
import { accusationMs, convictions, doesAccuse, isConvicted, isSuspect } from './evidence.ts';
import { accusersOf, hear, nothingHeard, without, type Accusation, type Heard } from './heard.ts';
import { monitorsOf, targetsOf } from './monitors.ts';
import { endedLives, findMember, isLive, type Life, type View, type ViewMember } from './view.ts';

export const detectorLimits = {
  probeEveryMs: 250,
  p1TimeoutMs: 250,
  p2TimeoutMs: 500,
  p1Failures: 3,
  p2Refusals: 1,
  p2Timeouts: 2,
  maxLagMs: 200,
  lagCountsMs: 1000,
  afterReconnectMs: 5000,
  accusationMs,
  repeatMs: 1000,
  brakeWindowMs: 10_000,
  brakeShare: 0.4,
  holdMs: 30_000,
} as const;

export type P2Result = 'ok' | 'refused' | 'timedOut';

export type DetectorInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'p1'; readonly life: Life; readonly isOk: boolean }
  | { readonly kind: 'p2'; readonly life: Life; readonly result: P2Result }
  | { readonly kind: 'accusation'; readonly accusation: Accusation }
  | { readonly kind: 'view'; readonly view: View }
  /** An operator lifts the brake for these lives (D5). */
  | { readonly kind: 'release'; readonly lives: readonly Life[] }
  | { readonly kind: 'lagged' }
  | { readonly kind: 'reconnected' };

export type DetectorEffect =
  | { readonly kind: 'probe'; readonly path: 'p1' | 'p2'; readonly member: ViewMember }
  | { readonly kind: 'tell'; readonly accusation: Accusation }
  | { readonly kind: 'declareDead'; readonly life: Life };

interface Watch {
  readonly life: Life;
  readonly p1Failures: number;
  readonly p2Refusals: number;
  readonly p2Timeouts: number;
  readonly isP2UnderWay: boolean;
  readonly accusedSinceMs: number | undefined;
  readonly toldAtMs: number;
  /** The brake has held this suspect; only D5 lets its verdict through. */
  readonly isHeld: boolean;
  /** An operator has lifted the brake and the wait. */
  readonly isWaived: boolean;
  /** When its death was last handed on to be declared (D6). */
  readonly judgedAtMs: number;
}

export interface Detector {
  readonly self: NodeId;
  readonly view: View;
  readonly watched: ReadonlyMap<NodeId, Watch>;
  /** In theory as many as the square of the members; in practice three for each suspect. */
  readonly heard: Heard;
  /** Members that are accused and not alive in this view. The next view will show why. */
  readonly strays: readonly NodeId[];
  /** False: no accusation by this node is known. True: there may be one. */
  readonly mayAccuse: boolean;
  readonly deathsAtMs: readonly number[];
  readonly voidUntilMs: number;
  /** How many verdicts the brake holds back now. */
  readonly heldCount: number;
}

export interface DetectorStep {
  readonly detector: Detector;
  readonly effects: readonly DetectorEffect[];
}

export function createDetector(self: NodeId, view: View): Detector {
  return {
    self,
    view,
    watched: watchesFor(targetsOf(view, self, view), new Map()),
    heard: nothingHeard,
    strays: [],
    mayAccuse: false,
    deathsAtMs: [],
    voidUntilMs: 0,
    heldCount: 0,
  };
}

const nothing: readonly DetectorEffect[] = [];

const both = (one: readonly DetectorEffect[], two: readonly DetectorEffect[]): readonly DetectorEffect[] =>
  one.length === 0 ? two : two.length === 0 ? one : [...one, ...two];

/** Handles one input. @returns the next state and what must be done; the same state when nothing changed */
export function advance(detector: Detector, input: DetectorInput, nowMs: number): DetectorStep {
  switch (input.kind) {
    case 'tick':
      return tick(detector, nowMs);
    case 'p1':
      return input.isOk ? still(acquit(detector, input.life), nowMs) : failP1(detector, input.life, nowMs);
    case 'p2':
      return still(takeP2(detector, input.life, input.result, nowMs), nowMs);
    case 'accusation':
      return still(takeAccusation(detector, input.accusation, nowMs), nowMs);
    case 'view':
      return { detector: takeView(detector, input.view, nowMs), effects: nothing };
    case 'release':
      return still(waive(detector, input.lives), nowMs);
    case 'lagged':
      return { detector: beVoid(detector, nowMs + detectorLimits.lagCountsMs), effects: nothing };
    case 'reconnected':
      return { detector: beVoid(detector, nowMs + detectorLimits.afterReconnectMs), effects: nothing };
    default:
      return input;
  }
}

/** What was counted until now was counted by a node that is ill itself, so it counts no more (D3). */
function beVoid(detector: Detector, untilMs: number): Detector {
  const watched = new Map(
    [...detector.watched].map(([id, watch]) => [id, { ...watch, ...nothingCounted }] as const),
  );
  return { ...detector, watched, voidUntilMs: Math.max(detector.voidUntilMs, untilMs) };
}

const nothingCounted = {
  p1Failures: 0,
  p2Refusals: 0,
  p2Timeouts: 0,
  accusedSinceMs: undefined,
  isHeld: false,
  isWaived: false,
  judgedAtMs: -Infinity,
} as const;

function tick(detector: Detector, nowMs: number): DetectorStep {
  const probes: DetectorEffect[] = [];
  for (const id of detector.watched.keys()) {
    const member = findMember(detector.view, id);
    if (member !== undefined) probes.push({ kind: 'probe', path: 'p1', member });
  }
  const { detector: next, effects } = still(detector, nowMs);
  return { detector: next, effects: both(probes, effects) };
}

function acquit(detector: Detector, life: Life): Detector {
  const watch = watchOf(detector, life);
  if (watch === undefined || watch.p1Failures + watch.p2Refusals + watch.p2Timeouts === 0) return detector;
  return withWatch(detector, { ...watch, ...nothingCounted });
}

/** Probes over HTTP, only while the NATS probe fails, and once at a time. */
function failP1(detector: Detector, life: Life, nowMs: number): DetectorStep {
  const isCounted = nowMs >= detector.voidUntilMs;
  const watch = watchOf(detector, life);
  const member = findMember(detector.view, life.id);
  if (watch === undefined || member === undefined) return still(detector, nowMs);
  const p1Failures = watch.p1Failures + (isCounted ? 1 : 0);
  const mayAsk = p1Failures > 0 && !watch.isP2UnderWay;
  if (!isCounted && !mayAsk) return still(detector, nowMs);
  const counted = withWatch(detector, { ...watch, p1Failures, isP2UnderWay: watch.isP2UnderWay || mayAsk });
  const asked: readonly DetectorEffect[] = mayAsk ? [{ kind: 'probe', path: 'p2', member }] : nothing;
  const { detector: next, effects } = still(counted, nowMs);
  return { detector: next, effects: both(asked, effects) };
}

function takeP2(detector: Detector, life: Life, result: P2Result, nowMs: number): Detector {
  const before = watchOf(detector, life);
  if (before === undefined) return detector;
  const watch = { ...before, isP2UnderWay: false };
  if (result === 'ok') {
    return withWatch(detector, { ...watch, ...nothingCounted, p1Failures: watch.p1Failures });
  }
  if (nowMs < detector.voidUntilMs) return withWatch(detector, watch);
  return withWatch(
    detector,
    result === 'refused'
      ? { ...watch, p2Refusals: watch.p2Refusals + 1 }
      : { ...watch, p2Timeouts: watch.p2Timeouts + 1 },
  );
}

function watchOf({ watched }: Detector, life: Life): Watch | undefined {
  const watch = watched.get(life.id);
  return watch !== undefined && isSameLife(watch.life, life) ? watch : undefined;
}

const withWatch = (detector: Detector, watch: Watch): Detector => ({
  ...detector,
  watched: withWatches(detector.watched, [watch]),
});

const isSameLife = (a: Life, b: Life): boolean =>
  a.id === b.id && a.bootId === b.bootId && a.incarnation === b.incarnation;

function takeAccusation(detector: Detector, accusation: Accusation, nowMs: number): Detector {
  const { self, view, strays, mayAccuse } = detector;
  const { from, target } = accusation;
  const isStray = !isThere(view, target) && accusersOf(detector.heard, target) === undefined;
  const heard = hear(detector.heard, accusation, nowMs);
  return {
    ...detector,
    heard,
    strays: isStray ? [...strays, target] : strays,
    mayAccuse: mayAccuse || from === self,
  };
}

/** An operator lifts the brake. A node lifts it only for lives that it accuses itself (D5). */
function waive(detector: Detector, lives: readonly Life[]): Detector {
  const meant = lives.flatMap((life) => {
    const watch = watchOf(detector, life);
    return watch?.accusedSinceMs === undefined ? [] : [{ ...watch, isWaived: true }];
  });
  return { ...detector, watched: withWatches(detector.watched, meant) };
}

function isThere(view: View, id: NodeId): boolean {
  const member = findMember(view, id);
  return member !== undefined && isLive(member);
}

/** Nothing is counted, nobody is accused, and no verdict is held: then nothing follows, whatever others say. */
function isCalm({ watched, mayAccuse, heldCount }: Detector): boolean {
  if (mayAccuse || heldCount > 0) return false;
  for (const { p1Failures, accusedSinceMs } of watched.values())
    if (p1Failures > 0 || accusedSinceMs !== undefined) return false;
  return true;
}

/** What follows from the counts: this node's accusations are published or taken back, and verdicts are carried out. */
function still(detector: Detector, nowMs: number): DetectorStep {
  if (isCalm(detector)) return { detector, effects: nothing };
  const told = accuse(detector, nowMs);
  const judged = judge(told.detector, nowMs);
  return { detector: judged.detector, effects: [...told.effects, ...judged.effects] };
}

/** Accuses each member that both probes fail to reach (D1), and repeats that every second (D6). */
function accuse(detector: Detector, nowMs: number): DetectorStep {
  const { self, watched, voidUntilMs } = detector;
  const told: Accusation[] = [];
  const changed: Watch[] = [];
  let mayAccuse = false;
  for (const watch of watched.values()) {
    const { id, incarnation } = watch.life;
    const isGuilty = isProven(watch) && nowMs >= voidUntilMs;
    const didAccuse = accusersOf(detector.heard, id)?.has(self) === true;
    const mustTell = isGuilty ? !didAccuse || nowMs - watch.toldAtMs >= detectorLimits.repeatMs : didAccuse;
    if (mustTell) told.push({ from: self, target: id, incarnation, holds: isGuilty });
    mayAccuse ||= isGuilty;
    const accusedSinceMs = isGuilty ? (watch.accusedSinceMs ?? nowMs) : undefined;
    if (mustTell || accusedSinceMs !== watch.accusedSinceMs)
      changed.push({ ...watch, accusedSinceMs, toldAtMs: mustTell ? nowMs : watch.toldAtMs });
  }
  if (changed.length === 0 && mayAccuse === detector.mayAccuse) return { detector, effects: nothing };
  const heard = told.reduce((heard, accusation) => hear(heard, accusation, nowMs), detector.heard);
  return {
    detector: { ...detector, watched: withWatches(watched, changed), heard, mayAccuse },
    effects: told.map((accusation) => ({ kind: 'tell', accusation })),
  };
}

function withWatches(watched: Detector['watched'], changed: readonly Watch[]): Detector['watched'] {
  if (changed.length === 0) return watched;
  const all = new Map(watched);
  for (const watch of changed) all.set(watch.life.id, watch);
  return all;
}

function isProven({ p1Failures, p2Refusals, p2Timeouts }: Watch): boolean {
  const { p1Failures: enough, p2Refusals: refusals, p2Timeouts: timeouts } = detectorLimits;
  return p1Failures >= enough && (p2Refusals >= refusals || p2Timeouts >= timeouts);
}

function judge(detector: Detector, nowMs: number): DetectorStep {
  const suspects = suspectsOf(detector);
  if (suspects.length === 0)
    return {
      detector: detector.heldCount === 0 ? detector : { ...detector, heldCount: 0 },
      effects: nothing,
    };
  // Enough of their monitors accuse these (D2).
  const convicted = suspects.filter((watch) => isConvicted(detector, watch.life, nowMs));
  // The brake is asked only for verdicts that it does not hold yet, as counting the verdicts of the whole region is costly.
  const isBraked =
    convicted.some(({ isHeld }) => !isHeld) && convictions(detector, nowMs) > roomUnderBrake(detector, nowMs);
  const carriedOut = suspects.filter(
    (watch) =>
      isReleased(detector, watch, nowMs) ||
      (convicted.includes(watch) && (watch.isWaived || (!isBraked && !watch.isHeld))),
  );
  const held = isBraked ? convicted.filter((watch) => !watch.isHeld && !carriedOut.includes(watch)) : [];
  const heldCount = suspects.length - carriedOut.length;
  const due = carriedOut.filter(({ judgedAtMs }) => nowMs - judgedAtMs >= detectorLimits.repeatMs);
  const changed = [
    ...held.map((watch) => ({ ...watch, isHeld: true })),
    ...due.map((watch) => ({ ...watch, judgedAtMs: nowMs })),
  ];
  const isSame = changed.length === 0 && heldCount === detector.heldCount;
  return {
    detector: isSame ? detector : { ...detector, watched: withWatches(detector.watched, changed), heldCount },
    effects: due.map(({ life }) => ({ kind: 'declareDead', life })),
  };
}

function suspectsOf({ watched }: Detector): readonly Watch[] {
  let suspects: Watch[] | undefined;
  for (const watch of watched.values()) if (watch.accusedSinceMs !== undefined) (suspects ??= []).push(watch);
  return suspects ?? noSuspects;
}

const noSuspects: readonly Watch[] = [];

/** How many more deaths the brake lets through now (D4). */
function roomUnderBrake({ view, deathsAtMs }: Detector, nowMs: number): number {
  const { brakeWindowMs, brakeShare } = detectorLimits;
  const recent = deathsAtMs.filter((atMs) => nowMs - atMs < brakeWindowMs).length;
  const members = view.members.filter(isLive).length + recent;
  return Math.max(1, Math.floor(brakeShare * members)) - recent;
}

/** Says whether a verdict that was held may be carried out: after 30 s, or at an operator's word (D5). */
function isReleased(detector: Detector, { life, accusedSinceMs, isWaived }: Watch, nowMs: number): boolean {
  if (accusedSinceMs === undefined) return false;
  if (!isWaived && nowMs - accusedSinceMs < detectorLimits.holdMs) return false;
  const sound = monitorsOf(detector.view, life.id).filter((monitor) => !isSuspect(detector, monitor, nowMs));
  return sound.every((monitor) => doesAccuse(detector, monitor, life, nowMs));
}

/** Takes a new view, which brings other targets and other monitors. Counts for a life that continues are kept. */
function takeView(detector: Detector, view: View, nowMs: number): Detector {
  const { self, watched, heard, strays, deathsAtMs, view: before } = detector;
  const ended = endedLives(before, view);
  const died = ended.filter(({ why }) => why === 'died');
  const recent = recentDeaths(deathsAtMs, nowMs);
  const doubted = [...strays, ...ended.map(({ node }) => node)];
  const stillHeard = without(
    heard,
    doubted.filter((id) => !isThere(view, id)),
  );
  return {
    ...detector,
    view,
    strays: [],
    heard: stillHeard,
    mayAccuse: stillHeard.size > 0,
    deathsAtMs: died.length === 0 ? recent : [...recent, ...died.map(() => nowMs)],
    watched: watchesFor(targetsOf(view, self, before), watched),
  };
}

/** The times are sorted, so mostly the first one shows that all of them are recent. */
function recentDeaths(deathsAtMs: readonly number[], nowMs: number): readonly number[] {
  const first = deathsAtMs.findIndex((atMs) => nowMs - atMs < detectorLimits.brakeWindowMs);
  return first === 0 ? deathsAtMs : first < 0 ? [] : deathsAtMs.slice(first);
}

function watchesFor(
  targets: readonly ViewMember[],
  before: ReadonlyMap<NodeId, Watch>,
): ReadonlyMap<NodeId, Watch> {
  return new Map(
    targets.map(({ id, bootId, incarnation }) => {
      const life = { id, bootId, incarnation };
      const known = before.get(id);
      const isKnown = known !== undefined && isSameLife(known.life, life);
      return [id, isKnown ? known : { life, ...nothingCounted, isP2UnderWay: false, toldAtMs: 0 }];
    }),
  );
}
