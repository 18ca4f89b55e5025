/**
 * The owner under random orders of events: offers, reports, time, outages, reconnects, take-overs.
 *
 * Invariants: numbers are contiguous; commits go in order of period and time and none comes twice; every logged source is
 * committed, a gap, or pending; epochs never go back; a fold ignores nothing that an owner wrote.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pipelineLimits } from '../../../../../actors/stream/owner/state/pipeline-state.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { periodOpenedBy, type IndexRecord } from '../../../../../cluster/contract/index-records.ts';
import type { OpenPeriodReply } from '../../../../../cluster/contract/stream-actions.ts';
import { PeriodId } from '../../../../../cluster/model/ids.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';

type Event =
  | { readonly kind: 'offer' | 'skip' | 'again' | 'spare' | 'takeOver' | 'ackLost' | 'reconnect' | 'detach' }
  | { readonly kind: 'pass'; readonly ms: number }
  /** With `slots` of a worker on the owner's node. */
  | { readonly kind: 'log'; readonly mode: 'up' | 'silent' | 'held'; readonly slots: number }
  | {
      readonly kind: 'report';
      readonly what: 'done' | 'failed' | 'noStore' | 'started' | 'differs';
      readonly pick: number;
      readonly worker: number;
    };

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'offer' } as const) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...(['skip', 'again', 'spare', 'ackLost', 'reconnect', 'detach', 'takeOver'] as const))
      .map((kind) => ({ kind })),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 50, max: 6000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('log' as const),
      mode: fc.constantFrom('up' as const, 'silent' as const, 'held' as const),
      slots: fc.nat(4),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      what: fc.constantFrom(
        'done' as const,
        'done' as const,
        'done' as const,
        'failed' as const,
        'noStore' as const,
        'started' as const,
        'differs' as const,
      ),
      pick: fc.nat(6),
      worker: fc.nat(2),
    }),
  },
);

class Run {
  owner = new OwnerHarness();
  #period: PeriodId | undefined;
  #index = 0;
  #connection = 0;
  #session = 0;

  open(): void {
    this.#connection += 1_000_000_000;
    this.owner.attach(`s${this.#session}`);
    const id = `s${this.#session}`;
    const answer = this.owner.openPeriod(id, { connectionZeroMs: this.#connection });
    if (answer === undefined || !('value' in answer)) return;
    this.#period = PeriodId.parse((answer.value as OpenPeriodReply).period);
    this.#index = 0;
  }

  apply(step: Event): void {
    const { owner } = this;
    switch (step.kind) {
      case 'offer':
        return this.#offer();
      case 'skip':
        this.#index += 1;
        return undefined;
      case 'again':
        this.#index = Math.max(0, this.#index - 1);
        return this.#offer();
      case 'spare':
        this.#index = Math.max(0, this.#index - 1);
        return this.#offer({ audio: undefined });
      case 'pass':
        return owner.pass(step.ms);
      case 'log':
        return this.#switchLog(step);
      case 'ackLost':
        if (owner.logMode === 'up') owner.logMode = 'ackLost';
        return undefined;
      case 'reconnect':
        this.#session += 1;
        owner.pass(3100);
        return this.open();
      case 'detach':
        return this.#detach();
      case 'takeOver':
        return this.takeOver();
      case 'report':
        return this.#report(step);
      default:
        return step satisfies never;
    }
  }

  #switchLog({ mode, slots }: Extract<Event, { kind: 'log' }>): void {
    this.owner.ownSlots = slots;
    if (mode === 'up') this.owner.releaseHeld();
    else if (this.owner.held.length === 0) this.owner.logMode = mode;
  }

  #detach(): void {
    const { state } = this.owner;
    const session = state.sessions.at(-1);
    if (session === undefined) return;
    this.owner.do({
      kind: 'detach',
      params: { streamId: state.self.stream, sessionId: session.id, reason: 'test' },
    });
  }

  takeOver(): void {
    const { owner } = this;
    const epoch = owner.state.self.epoch + 1;
    this.owner = new OwnerHarness({
      entries: owner.log,
      epoch,
      bootId: `b${epoch}`,
    });
    this.owner.nowMs = owner.nowMs;
    this.owner.attach(`s${this.#session}`);
  }

  #offer(change = {}): void {
    if (this.#period === undefined) return this.open();
    const { owner } = this;
    const sessionId = owner.state.sessions.at(-1)?.id;
    if (sessionId === undefined) return this.open();
    owner.offer(owner.segment(this.#period, this.#index, { sessionId, ...change }));
    this.#index += 1;
    return undefined;
  }

  #report({ what, pick, worker }: Extract<Event, { kind: 'report' }>): void {
    const task = this.owner.tasks.at(-1 - pick);
    if (task === undefined) return undefined;
    const name = `w${worker}`;
    switch (what) {
      case 'started':
        return this.owner.started(task, name);
      case 'failed':
        return this.owner.failed(task, name);
      case 'noStore':
        return this.owner.failed(task, name, 'STORE_UNAVAILABLE');
      case 'differs':
        return this.owner.done(task, name, { init: 'f1' });
      case 'done':
        return this.owner.done(task, name);
      default:
        return what satisfies never;
    }
  }
}

type Decided = Extract<IndexRecord, { kind: 'commit' | 'gap' }>;

const isDecision = (record: IndexRecord): record is Decided =>
  record.kind === 'commit' || record.kind === 'gap';

/** A period that was reopened goes on in another one, with what was pending of it (reopening.ts G2): one clock, one name. */
function clockNames({ log }: OwnerHarness): (period: PeriodId) => PeriodId {
  const names = new Map(
    log.flatMap(({ sequence, record }) =>
      record.kind === 'clock' && record.storedAs !== undefined
        ? [[periodOpenedBy(record, sequence), record.storedAs]]
        : [],
    ),
  );
  return (period) => names.get(period) ?? period;
}

function check({ owner }: Run): void {
  const clockOf = clockNames(owner);
  const decisions = owner.records.filter(isDecision);
  expect(decisions.map((one) => one.number)).toEqual(decisions.map((_, index) => index));
  decisions.forEach((one, index) => {
    const before = decisions[index - 1];
    if (before === undefined) return;
    expect(one.period).toBeGreaterThanOrEqual(before.period);
    if (clockOf(one.period) === clockOf(before.period))
      expect(one.start90k).toBeGreaterThanOrEqual(before.start90k + before.duration90k);
  });
  const placeOf = ({ period, start90k }: { readonly period: PeriodId; readonly start90k: number }): string =>
    `${clockOf(period)}/${start90k}`;
  const { timeline, pending, outbox, life } = owner.state;
  const known = new Set([
    ...[...decisions, ...outbox.filter(isDecision)].map(placeOf),
    ...pending.map(({ offer }) => placeOf(offer)),
  ]);
  for (const place of owner.ofKind('source').map(placeOf))
    expect(known.has(place) || life === 'gone' || timeline.state === 'ended', place).toBe(true);
  const inits = new Map<string, string>();
  for (const commit of owner.ofKind('commit')) {
    for (const [name, init] of Object.entries(commit.inits ?? {})) {
      expect(inits.has(`${commit.period}/${name}`)).toBe(false);
      inits.set(`${commit.period}/${name}`, init.sha256);
    }
  }
  const epochs = owner.records.map((record) => record.epoch);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  const folded = owner.log.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  expect(folded.ignored).toBe(0);
  expect(folded.nextNumber).toBe(decisions.length);
}

const offer: Event = { kind: 'offer' };
const done = (pick: number): Event => ({ kind: 'report', what: 'done', pick, worker: 0 });
const pass = (ms: number): Event => ({ kind: 'pass', ms });

const differs = (pick: number): Event => ({ kind: 'report', what: 'differs', pick, worker: 0 });

/** One segment is committed; two have a task that no worker makes as before, and two wait behind them. */
const reopened: readonly Event[] = [
  ...[offer, done(0), offer, offer, offer, offer, pass(50)],
  ...[differs(5), differs(1), differs(0), differs(0)], // the first of the two: its rung is taken out of the one task
  ...[
    differs(7),
    differs(0),
    differs(0),
    done(0),
    offer,
    pass(1858),
    done(0),
    done(1),
    offer,
    done(0),
    offer,
  ],
];

test('the example that is always tried opens a period that continues another, with sources waiting', () => {
  const run = new Run();
  run.open();
  for (const step of reopened) run.apply(step);
  expect(run.owner.counted('reopened')).toBe(1);
});

test('whatever the order of events, the log stays whole', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 120 }), (events) => {
      const run = new Run();
      run.open();
      for (const step of events) {
        run.apply(step);
        if (run.owner.state.life === 'gone') run.takeOver();
      }
      check(run);
      expect(run.owner.state.pending.length).toBeLessThanOrEqual(512);
    }),
    { numRuns: 250, examples: [[[...reopened]]] },
  );
});

test('whatever came before, with the log back and time to pass every source is decided', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 80 }), (events) => {
      const run = new Run();
      run.open();
      for (const step of events) {
        run.apply(step);
        if (run.owner.state.life === 'gone') run.takeOver();
      }
      run.owner.releaseHeld();
      run.owner.pass(2000);
      const waiting = run.owner.state.pending.length;
      run.owner.pass((waiting + 2) * (pipelineLimits.backlogGapMs + 500));
      check(run);
      expect(run.owner.state.pending).toEqual([]);
      expect(run.owner.state.outbox).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
