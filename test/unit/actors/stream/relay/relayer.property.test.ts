/** The relayer, whatever happens between two logs: in the end this region's log says what the home's says, each record once (R4). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { createRelayer, isAtHead, relay } from '../../../../../actors/stream/relay/relayer.ts';
import type {
  RelayerCommand,
  RelayerEffect,
  RelayerState,
} from '../../../../../actors/stream/relay/relayer-state.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { entriesFrom } from '../../../../support/ports/relayed.ts';
import { by, passThroughOnly } from '../../../../support/ports/records.ts';

const foldOf = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

/** Two logs, and relayers one after the other between them. The test says what gets lost. */
class World {
  readonly home = new LogBuilder().open().clock(passThroughOnly);
  readonly own: IndexEntry[] = [];
  #nowMs = 0;
  #relayers = 0;
  #records = 0;
  #told = 0;
  #isCut = false;
  #losesAcks = 0;
  #state: RelayerState;

  constructor() {
    this.#state = this.#begin();
  }

  #begin(): RelayerState {
    this.#relayers += 1;
    const self = {
      region: RegionId.parse('us'),
      home: RegionId.parse('eu'),
      name: `relay-${this.#relayers}`,
      maxLogRecords: 40,
    };
    return createRelayer({ self, entries: this.own }, this.#nowMs);
  }

  /** The home's owner writes, and tells it or not. */
  write(change: (log: LogBuilder) => unknown, isTold: boolean): void {
    change(this.home);
    for (const entry of this.home.entries.filter(({ sequence }) => sequence > this.#told)) {
      const previous = this.home.entries.findLast(({ sequence }) => sequence < entry.sequence)?.sequence ?? 0;
      this.#told = entry.sequence;
      const { sequence, record } = entry;
      Object.assign(entry, { record: { ...record, recordId: `home-${sequence}` } });
      if (isTold && !this.#isCut) this.#do({ kind: 'heard', entry, previous });
    }
  }

  /** The home shortens its log, as its owner does. */
  shorten(): void {
    const state: unknown = JSON.parse(JSON.stringify(toSnapshot(foldOf(this.home.entries))));
    const { nextNumber, epoch, bootId = 'b1' } = foldOf(this.home.entries);
    this.write((log) => log.add({ kind: 'snapshot', ...by({ epoch, bootId }), nextNumber, state }), true);
    this.home.entries.splice(0, this.home.entries.length - 1);
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
  }

  loseAcks(count: number): void {
    this.#losesAcks = count;
  }

  /** Another gateway serves the stream. */
  replace(): void {
    this.#state = this.#begin();
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    this.#do({ kind: 'wanted', byStandby: false });
    this.#do({ kind: 'tick' });
    const last = this.home.entries.at(-1);
    if (last !== undefined && !this.#isCut)
      this.#do({ kind: 'head', sequence: last.sequence, recordId: last.record.recordId });
  }

  get isAtHead(): boolean {
    return isAtHead(this.#state);
  }

  #do(command: RelayerCommand): void {
    const { state, effects } = relay(this.#state, command, this.#nowMs);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: RelayerEffect): void {
    switch (effect.kind) {
      case 'append':
        return this.#append(effect);
      case 'readHome':
        if (this.#isCut) return this.#do({ kind: 'homeUnreadable' });
        return this.#do({ kind: 'homeRead', entries: entriesFrom(this.home.entries, effect.from) });
      case 'readOwn': {
        const entries = this.own.filter((one) => one.sequence >= effect.fromSequence);
        return this.#do({ kind: 'ownRead', entries, tail: this.own.at(-1) });
      }
      case 'pull':
        return this.#do({ kind: 'stored', sha256: effect.media.sha256 });
      case 'purge':
        return void this.own.splice(
          0,
          this.own.findIndex((one) => one.sequence >= effect.belowSequence),
        );
      case 'deactivate':
        return this.replace();
      default:
        return effect satisfies never;
    }
  }

  #append({ record, expectedSequence }: Extract<RelayerEffect, { kind: 'append' }>): void {
    const { recordId } = record;
    if (expectedSequence !== (this.own.at(-1)?.sequence ?? 0))
      return this.#do({ kind: 'appendFailed', recordId });
    this.#records += 2;
    this.own.push({ sequence: this.#records, record: JSON.parse(JSON.stringify(record)) });
    this.#losesAcks -= 1;
    return this.#losesAcks >= 0
      ? this.#do({ kind: 'appendFailed', recordId })
      : this.#do({ kind: 'appended', recordId, sequence: this.#records });
  }
}

type Step = (world: World) => void;
const isTold = fc.boolean();
const write = (change: (log: LogBuilder) => unknown) =>
  isTold.map(
    (told): Step =>
      (world) =>
        world.write(change, told),
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 3 }), isTold).map(
      ([count, told]): Step =>
        (world) =>
          world.write((log) => log.source().segments(count), told),
    ),
  },
  { weight: 1, arbitrary: write((log) => log.segments(80)) },
  { weight: 1, arbitrary: write((log) => log.gap()) },
  { weight: 1, arbitrary: write((log) => log.takeOver().segments(1)) },
  { weight: 1, arbitrary: write((log) => log.takeOver().clock(passThroughOnly, 5).segments(1)) },
  { weight: 1, arbitrary: write((log) => log.end().takeOver().clock(passThroughOnly, 60).segments(1)) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.shorten()) },
  {
    weight: 2,
    arbitrary: fc.boolean().map(
      (isCut): Step =>
        (world) =>
          world.cut(isCut),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 3 }).map(
      (count): Step =>
        (world) =>
          world.loseAcks(count),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Step>((world) => world.replace()) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 50, max: 7000 }).map(
      (ms): Step =>
        (world) =>
          world.pass(ms),
    ),
  },
);

/** What viewers see of a fold. */
const shown = ({ nextNumber, state, nextOrdinal, periods }: FoldedTimeline) => ({
  nextNumber,
  state,
  nextOrdinal,
  numbers: periods.flatMap(({ id, ordinal, segments }) =>
    segments.map((one) => [id, ordinal, one.number, one.start90k]),
  ),
});

test('whatever is lost, cut, shortened or replaced meanwhile, the log here says in the end what the home says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const one of steps) one(world);
      world.cut(false);
      world.loseAcks(0);
      for (let turn = 0; turn < 12; turn += 1) world.pass(600);
      const [own, home] = [foldOf(world.own), foldOf(world.home.entries)];
      expect(world.isAtHead).toBe(true);
      expect({ ...shown(own), ignored: own.ignored }).toMatchObject({
        nextNumber: home.nextNumber,
        state: home.state,
        ignored: 0,
      });
      const known = new Map(shown(home).numbers.map((one) => [one[2], one.join()]));
      const wrong = shown(own).numbers.filter((one) => known.has(one[2]) && known.get(one[2]) !== one.join());
      expect(wrong).toEqual([]);
      const places = world.own.flatMap(({ record }) => [record.home?.sequence ?? 0]);
      expect({ doubled: places.length - new Set(places).size }).toEqual({ doubled: 0 });
    }),
    { numRuns: 150 },
  );
});
