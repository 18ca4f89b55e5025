/** The relayer: what it appends, what it waits for, when it begins again and when it stops (R4). */
import { describe, expect, test } from 'vitest';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { createRelayer, isAtHead, relay } from '../../../../../actors/stream/relay/relayer.ts';
import type {
  RelayerCommand,
  RelayerEffect,
  RelayerState,
} from '../../../../../actors/stream/relay/relayer-state.ts';
import type { IndexEntry, IndexRecord } from '../../../../../cluster/contract/index-records.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, passThroughOnly } from '../../../../support/ports/records.ts';
import { entriesFrom, epochOf } from '../../../../support/ports/relayed.ts';

const home = RegionId.parse('eu');
const region = RegionId.parse('us');

/** A relayer between two logs that the test holds; objects are here at once, unless the test says otherwise. */
class Rig {
  nowMs = 0;
  readonly own: IndexEntry[];
  readonly home: LogBuilder;
  readonly pulls: string[] = [];
  /** Of the segments of the lowest rung. */
  readonly pulledStarts: number[] = [];
  readonly left: string[] = [];
  readonly asked: (number | 'snapshot')[] = [];
  state: RelayerState;
  isStoreSlow = false;
  isAckLost = false;
  isOwnDown = false;
  /** When this region's log was read. */
  readonly ownReadsMs: number[] = [];

  constructor(home: LogBuilder, own: readonly IndexEntry[] = [], beyond?: FoldedTimeline) {
    this.home = home;
    this.own = [...own];
    const self = { region, home: RegionId.parse('eu'), name: 'relay', maxLogRecords: 50 };
    this.state = createRelayer({ self, entries: own, beyond }, 0);
    this.do({ kind: 'tick' });
  }

  do(command: RelayerCommand): void {
    const { state, effects } = relay(this.state, command, this.nowMs);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
  }

  head(): void {
    const last = this.home.entries.at(-1);
    if (last !== undefined)
      this.do({ kind: 'head', sequence: last.sequence, recordId: last.record.recordId });
  }

  /** The home writes segments, and only the last one is heard. */
  publish(segments = 1): void {
    this.home.segments(segments);
    const [before, last] = this.home.entries.slice(-2);
    if (before !== undefined && last !== undefined)
      this.do({ kind: 'heard', entry: last, previous: before.sequence });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.do({ kind: 'tick' });
  }

  #perform(effect: RelayerEffect): void {
    switch (effect.kind) {
      case 'append':
        return this.#append(effect);
      case 'readHome':
        this.asked.push(effect.from);
        return this.do({ kind: 'homeRead', entries: entriesFrom(this.home.entries, effect.from) });
      case 'readOwn': {
        this.ownReadsMs.push(this.nowMs);
        if (this.isOwnDown) return this.do({ kind: 'ownUnreadable' });
        const entries = this.own.filter((one) => one.sequence >= effect.fromSequence);
        return this.do({ kind: 'ownRead', entries, tail: this.own.at(-1) });
      }
      case 'pull':
        this.pulls.push(effect.rendition);
        if (effect.rendition === 'h264-240p') this.pulledStarts.push(effect.media.startTime);
        return this.isStoreSlow ? undefined : this.do({ kind: 'stored', sha256: effect.media.sha256 });
      case 'purge':
        return void this.own.splice(
          0,
          this.own.findIndex((one) => one.sequence >= effect.belowSequence),
        );
      case 'deactivate':
        return void this.left.push(effect.reason);
      default:
        return effect satisfies never;
    }
  }

  #append({ record, expectedSequence }: Extract<RelayerEffect, { kind: 'append' }>): void {
    const last = this.own.at(-1)?.sequence ?? 0;
    const { recordId } = record;
    if (expectedSequence !== last) return this.do({ kind: 'appendFailed', recordId });
    this.own.push({ sequence: last + 2, record });
    const isLost = this.isAckLost;
    this.isAckLost = false;
    return this.do(
      isLost ? { kind: 'appendFailed', recordId } : { kind: 'appended', recordId, sequence: last + 2 },
    );
  }

  get kinds(): readonly string[] {
    return this.own.map(({ record }) => record.kind);
  }

  get folded(): FoldedTimeline {
    return this.own.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  }
}

const small = (): LogBuilder => new LogBuilder().open().clock(passThroughOnly);

test('it takes what the home wrote in order, each once, and says where it stands there', () => {
  const rig = new Rig(small().source().segments(2).trim(1));
  expect(rig.kinds).toEqual(['open', 'clock', 'source', 'commit', 'commit', 'trim']);
  expect(rig.own.map(({ record }) => record.home?.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(rig.folded).toMatchObject({ nextNumber: 2, firstNumber: 1, ignored: 0 });
  rig.head();
  expect({ asked: rig.asked, isAtHead: isAtHead(rig.state) }).toEqual({
    asked: ['snapshot'],
    isAtHead: true,
  });
});

test('a published record that follows is taken; where one is missing the home is asked from the last one on', () => {
  const log = small().segments(1);
  const rig = new Rig(log);
  rig.publish();
  expect(rig.folded.nextNumber).toBe(2);
  rig.publish(2);
  expect({ nextNumber: rig.folded.nextNumber, asked: rig.asked }).toEqual({
    nextNumber: 4,
    asked: ['snapshot', 4],
  });
});

test('a commit waits for its lowest rung and audio, and a second at most', () => {
  const log = new LogBuilder().open().clock();
  const rig = new Rig(log);
  rig.isStoreSlow = true;
  rig.publish();
  expect({ kinds: rig.kinds, pulls: rig.pulls }).toEqual({
    kinds: ['open', 'clock'],
    pulls: ['h264-240p', 'aac-128k'],
  });
  rig.pass(999);
  expect(rig.kinds).not.toContain('commit');
  rig.pass(1);
  expect(rig.kinds).toContain('commit');
  rig.do({ kind: 'wanted', byStandby: true });
  rig.publish();
  expect(rig.pulls.slice(2)).toEqual(['h264-720p', 'h264-480p', 'h264-360p', 'h264-240p', 'aac-128k']);
});

// Goal: after a cut viewers have all again at once, and what is under way first is what they play next. Method: no object comes, and the home is
// read from where it was heard last.
test('what was missed waits for no object, and of it the newest eight segments are brought, the newest first', () => {
  const log = new LogBuilder().open().clock(passThroughOnly);
  const rig = new Rig(log);
  rig.isStoreSlow = true;
  log.segments(12);
  rig.head();
  expect({ nextNumber: rig.folded.nextNumber, isAtHead: isAtHead(rig.state) }).toEqual({
    nextNumber: 12,
    isAtHead: true,
  });
  const startOf = (number: number): number => number * 180_000;
  expect(rig.pulledStarts).toEqual([11, 10, 9, 8, 7, 6, 5, 4].map(startOf));
});

describe('this region’s log decides', () => {
  test('a lost acknowledgement doubles nothing', () => {
    const log = small();
    const rig = new Rig(log);
    rig.isAckLost = true;
    log.segments(2);
    rig.head();
    expect(rig.own.map(({ record }) => record.home?.sequence)).toEqual([1, 2, 3, 4]);
  });

  test('another relayer’s records are taken for its own', () => {
    const log = small().segments(3);
    const [one, two] = [new Rig(log), new Rig(log)];
    one.own.splice(0, one.own.length, ...two.own);
    log.segments(2);
    two.head();
    one.own.splice(0, one.own.length, ...two.own);
    log.segments(1);
    one.head();
    expect(one.own.map(({ record }) => record.home?.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  // Goal: a cluster that elects is not flooded. Method: a quiet stream, and a log that refuses at once; ticks four times a second, records, heads.
  test('and where it refuses at once, it is asked twice a second at most, and then read on', () => {
    const log = small().segments(1);
    const rig = new Rig(log);
    rig.isOwnDown = true;
    rig.pass(5100);
    for (let turn = 0; turn < 40; turn += 1) {
      log.segment();
      rig.head();
      rig.pass(250);
      if (turn === 30) rig.isOwnDown = false;
    }
    const pauses = rig.ownReadsMs.slice(1).map((ms, index) => ms - (rig.ownReadsMs[index] ?? 0));
    expect({ isOften: pauses.some((ms) => ms < 500), nextNumber: rig.folded.nextNumber }).toEqual({
      isOften: false,
      nextNumber: 41,
    });
    expect(rig.ownReadsMs.length).toBeGreaterThan(10);
  });

  test('an owner of this region ends the relayer, and nothing is appended behind it', () => {
    const log = small().segments(1);
    const rig = new Rig(log);
    const open: IndexRecord = { kind: 'open', ...by({ epoch: epochOf(1, 1), bootId: 'b-us' }) };
    rig.own.push({ sequence: 100, record: open });
    log.segments(2);
    rig.head();
    expect({ left: rig.left, last: rig.own.at(-1)?.record.kind }).toEqual({ left: ['fenced'], last: 'open' });
  });

  test('a log that lost its end ends the relayer; its successor first writes what an edge knows', () => {
    const log = small().segments(5);
    const rig = new Rig(log);
    const known = rig.folded;
    rig.own.splice(4);
    log.segment();
    rig.head();
    expect(rig.left).toEqual(['wentBack']);
    const next = new Rig(log, rig.own, known);
    expect(next.folded).toMatchObject({ nextNumber: 6, ignored: 0 });
    expect(next.kinds.filter((kind) => kind === 'snapshot')).toHaveLength(1);
  });
});

describe('the home’s log', () => {
  test('with another record where this one had read up to, begins again and doubles nothing', () => {
    const log = small().segments(4);
    const rig = new Rig(log);
    const state = toSnapshot(log.fold());
    log.entries.splice(3);
    log.add({ kind: 'snapshot', ...by({ recordId: 'again' }), nextNumber: 4, state });
    rig.head();
    log.segment({});
    expect({ asked: rig.asked.at(-1), nextNumber: rig.folded.nextNumber }).toEqual({
      asked: 'snapshot',
      nextNumber: 4,
    });
  });

  test('that has grown again past where this one had read, with other records, is read anew', () => {
    const log = small().segments(4);
    const rig = new Rig(log);
    const state: unknown = JSON.parse(JSON.stringify(toSnapshot(log.fold())));
    log.entries.splice(5);
    log.add({ kind: 'snapshot', ...by({ recordId: 'again' }), nextNumber: 4, state });
    log.segments(2);
    rig.head();
    expect({ asked: rig.asked.slice(1), nextNumber: rig.folded.nextNumber }).toEqual({
      asked: [6, 'snapshot'],
      nextNumber: 6,
    });
  });

  test('is never copied as a snapshot: what is new of it comes as one of the own fold', () => {
    const log = small().segments(6);
    const state: unknown = JSON.parse(JSON.stringify(toSnapshot(log.fold())));
    log.add({ kind: 'snapshot', ...by(), nextNumber: 6, state });
    log.entries.splice(0, log.entries.length - 1);
    const rig = new Rig(log);
    expect({ kinds: rig.kinds, nextNumber: rig.folded.nextNumber }).toEqual({
      kinds: ['snapshot'],
      nextNumber: 6,
    });
    log.segment();
    rig.head();
    expect(rig.folded).toMatchObject({ nextNumber: 7, ignored: 0 });
  });
});

// Goal: a head that is late costs no read of the whole log. Method: the newest commits wait for the store when an older head comes.
test('a head that an answer has overtaken drops nothing, and reads from what is known', () => {
  const log = small().segments(2);
  const rig = new Rig(log);
  rig.isStoreSlow = true;
  const old = log.entries.at(-1);
  rig.publish();
  rig.publish();
  rig.do({ kind: 'head', sequence: old?.sequence ?? 0, recordId: old?.record.recordId ?? '' });
  expect({ asked: rig.asked, waiting: rig.state.waiting.length }).toEqual({
    asked: ['snapshot', 6],
    waiting: 2,
  });
});

describe('where something before a record lacks here', () => {
  test('and the home itself has lost it, the next segment begins a branch', () => {
    const log = small().segments(3);
    const rig = new Rig(log);
    log.segments(3);
    log.entries.splice(5, 3);
    log.segment();
    rig.head();
    rig.pass(500);
    log.segments(2);
    rig.head();
    rig.pass(500);
    expect(rig.folded).toMatchObject({ nextNumber: 6, ignored: 0, branch: { isJoining: false, shift: -3 } });
    expect(rig.own.slice(-3).map(({ record }) => record.home?.number)).toEqual([3, 4, 5]);
    expect(rig.asked.filter((from) => from === 'snapshot')).toHaveLength(2);
  });

  test('and the home’s snapshot cannot be read, the relayer gives up after eight times', () => {
    const log = small();
    log.entries.splice(0);
    log.add({ kind: 'snapshot', ...by(), nextNumber: 3, state: { version: 2 } });
    log.segments(1);
    const rig = new Rig(log);
    for (let turn = 0; turn < 20; turn += 1) rig.pass(500);
    expect({ left: rig.left, asked: rig.asked.length }).toEqual({ left: ['unreadable'], asked: 9 });
  });
});

test('a log that has grown becomes one snapshot and what follows', () => {
  const rig = new Rig(small().segments(60));
  expect(rig.kinds.indexOf('snapshot')).toBe(0);
  expect(rig.own.length).toBeLessThan(20);
  expect(rig.folded).toMatchObject({ nextNumber: 60, firstNumber: 0, ignored: 0 });
});

test('a long backlog becomes one snapshot, and no object of it is brought', () => {
  const log = small().segments(1);
  const rig = new Rig(log);
  const pulled = rig.pulls.length;
  log.segments(250);
  rig.head();
  expect({ kinds: rig.kinds, ofBacklog: rig.pulls.length - pulled }).toEqual({
    kinds: ['snapshot'],
    ofBacklog: 0,
  });
  log.segment();
  rig.head();
  expect(rig.folded).toMatchObject({ nextNumber: 252, firstNumber: 0, ignored: 0 });
});

// Goal: in a log that went back, places come again. Method: while the relayer is silent, its log is replaced by one of the same length.
test('after a silence it notices that its log is another one, though the last place is the same', () => {
  const log = small().segments(3);
  const rig = new Rig(log);
  const open: IndexRecord = {
    kind: 'open',
    ...by({ epoch: epochOf(1, 1), bootId: 'b-us', recordId: 'ours' }),
  };
  const last = rig.own.at(-1)?.sequence ?? 0;
  rig.own.splice(0, rig.own.length, { sequence: last, record: open });
  rig.nowMs = 6000;
  log.segment();
  rig.head();
  expect({ left: rig.left, kinds: rig.kinds }).toEqual({ left: ['wentBack'], kinds: ['open'] });
});

test('it notices that its log lost its end though the home, which has ended, writes nothing', () => {
  const rig = new Rig(small().segments(3).end());
  rig.own.splice(3);
  rig.pass(5001);
  expect(rig.left).toEqual(['wentBack']);
});

test('it stops a minute after the last one wanted the stream', () => {
  const rig = new Rig(small());
  rig.pass(59_000);
  rig.do({ kind: 'wanted', byStandby: false });
  rig.pass(59_999);
  expect(rig.left).toEqual([]);
  rig.pass(1);
  expect(rig.left).toEqual(['unwanted']);
});

test('the name of its home is what a new relayer of that home needs, and no other', () => {
  const log = small().segments(2);
  const rig = new Rig(log);
  const next = new Rig(log, rig.own);
  log.segment();
  next.head();
  expect({ asked: next.asked, nextNumber: next.folded.nextNumber }).toEqual({ asked: [4], nextNumber: 3 });
  const self = { region, home: RegionId.parse('ap'), name: 'other', maxLogRecords: 50 };
  const other = createRelayer({ self, entries: rig.own }, 0);
  expect({ home, cursor: other.cursor }).toEqual({ home: 'eu', cursor: undefined });
});
