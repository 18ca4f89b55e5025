/** What an owner that goes on with another region's stream says that its store lacks (R8). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyEntry } from '../../../../../actors/media/timeline/fold.ts';
import { lackOf, type IsStored } from '../../../../../actors/media/timeline/lack.ts';
import {
  initOf,
  mediaOf,
  presentRungs,
  servedAudio,
  servedRenditions,
} from '../../../../../actors/media/timeline/query.ts';
import type { FoldedTimeline, Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import { windowOf } from '../../../../../actors/media/timeline/window.ts';
import { RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, fullLadder, passThroughOnly } from '../../../../support/ports/records.ts';

/** Two periods of six and four segments, and a gap. */
const stream = (): LogBuilder =>
  new LogBuilder().open().clock(fullLadder).segments(6).gap().clock(fullLadder, 3).segments(4);

const rungNames = fullLadder.flatMap(({ kind, name }) => (kind === 'video' ? [name] : []));
const [highest = '', ...lowerRungs] = rungNames;

/** Up to three periods of either ladder, whose segments have some of its rungs, or none. */
const unevenStream = fc
  .array(
    fc.record({
      ladder: fc.constantFrom(fullLadder, passThroughOnly),
      absent: fc.array(fc.subarray([...rungNames]), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((periods) => {
    const log = new LogBuilder().open();
    for (const { ladder, absent } of periods) {
      log.clock(ladder);
      for (const names of absent) log.segment({ absent: names });
    }
    return log;
  });
/** Such a stream, and the hashes of some objects of it, which the store lacks. */
const unevenStore = unevenStream.chain((log) => {
  const all = [...new Set(namedIn(log.fold()).map(({ sha256 }) => sha256))];
  return fc.record({
    log: fc.constant(log),
    lacking: fc.subarray(all, { maxLength: Math.min(4, all.length) }),
  });
});

/** Says it, and folds that it was said. */
function declared(timeline: FoldedTimeline, isStored: IsStored): FoldedTimeline {
  const lack = lackOf(timeline, isStored);
  if (lack === undefined) return timeline;
  return applyEntry(timeline, {
    sequence: timeline.lastSequence + 1,
    record: { kind: 'missing', ...by({}), ...lack },
  });
}

/** Every object that manifests of this timeline name. */
const namedIn = (timeline: Timeline) =>
  windowOf(timeline, 3600).flatMap(({ period, segments }) =>
    segments.flatMap((segment) =>
      servedRenditions(period).flatMap(({ name }) => {
        const [media, init] = [mediaOf(segment, name), initOf(period, name)];
        return media === undefined ? [] : [media, ...(init === undefined ? [] : [init])];
      }),
    ),
  );

/** The numbers of the segments that have a picture. */
const picturesOf = ({ periods }: Timeline): readonly number[] =>
  periods.flatMap((period) =>
    period.segments.flatMap((segment) => (presentRungs(period, segment).length > 0 ? [segment.number] : [])),
  );

const mediaOfRung = ({ periods }: Timeline, number: number, name: string) =>
  periods
    .flatMap(({ segments }) => segments)
    .filter((segment) => segment.number === number)
    .map((segment) => mediaOf(segment, RenditionName.parse(name))?.sha256)[0];

const objects = [...new Set(namedIn(stream().fold()).map(({ sha256 }) => sha256))];
const lackingSome = fc.subarray(objects, { maxLength: 12 });

test('whatever the store lacks, manifests name nothing of it, and there is nothing more to say', () => {
  fc.assert(
    fc.property(lackingSome, (lacking) => {
      const isStored: IsStored = ({ sha256 }) => !lacking.includes(sha256);
      const said = declared(stream().fold(), isStored);
      expect(namedIn(said).filter((object) => !isStored(object))).toEqual([]);
      expect(lackOf(said, isStored)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

// Goal: nothing that is shown loses its picture by what is said. Method: streams whose ladder changes, and whose rungs lack here and there, are held against themselves.
test('whatever rungs a stream has, a segment that is shown keeps one if it had one, and manifests name nothing that lacks', () => {
  fc.assert(
    fc.property(unevenStore, ({ log, lacking }) => {
      const isStored: IsStored = ({ sha256 }) => !lacking.includes(sha256);
      const had = new Set(picturesOf(log.fold()));
      const said = declared(log.fold(), isStored);
      const has = new Set(picturesOf(said));
      const blank = [...had].filter((number) => number >= said.shownFrom && !has.has(number));
      expect({ blank, lacking: namedIn(said).filter((object) => !isStored(object)) }).toEqual({
        blank: [],
        lacking: [],
      });
      expect(lackOf(said, isStored)).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

test('a rung that lacks takes no segment its only picture: manifests begin behind that one', () => {
  const timeline = new LogBuilder()
    .open()
    .clock(fullLadder)
    .segment()
    .segment({ absent: lowerRungs })
    .segments(3)
    .fold();
  const sha256 = mediaOfRung(timeline, 3, highest);
  expect(lackOf(timeline, (object) => object.sha256 !== sha256)).toEqual({
    belowNumber: 2,
    rungs: { [highest]: 4 },
  });
});

test('what is shown begins right behind a segment of which the lowest rung or the audio lacks', () => {
  fc.assert(
    fc.property(lackingSome, (lacking) => {
      const isStored: IsStored = ({ sha256 }) => !lacking.includes(sha256);
      const timeline = stream().fold();
      const { belowNumber = 0 } = lackOf(timeline, isStored) ?? {};
      const needed = timeline.periods.flatMap((period) =>
        period.segments
          .filter(({ number }) => number === belowNumber - 1)
          .flatMap((segment) =>
            [presentRungs(period, segment).at(-1), servedAudio(period)?.name].flatMap((name) =>
              name === undefined ? [] : [mediaOf(segment, name), initOf(period, name)],
            ),
          ),
      );
      if (belowNumber > 0)
        expect(needed.some((object) => object !== undefined && !isStored(object))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('a store that has everything lacks nothing; of one that has nothing the live edge begins with the next segment', () => {
  const timeline = stream().fold();
  expect(lackOf(timeline, () => true)).toBeUndefined();
  expect(lackOf(timeline, () => false)).toEqual({ belowNumber: timeline.nextNumber });
});

test('a rung of which one segment lacks joins behind it, and the others are whole', () => {
  const timeline = stream().fold();
  const [period] = timeline.periods;
  const best = period === undefined ? undefined : servedRenditions(period)[0]?.name;
  const segment = period?.segments[2];
  if (best === undefined || segment === undefined) throw new Error('the stream has rungs');
  const sha256 = mediaOf(segment, best)?.sha256;
  expect(lackOf(timeline, (object) => object.sha256 !== sha256)).toEqual({
    belowNumber: 0,
    rungs: { [best]: 3 },
  });
});

test('where the audio of a segment lacks, manifests begin behind it', () => {
  const timeline = stream().fold();
  const [period] = timeline.periods;
  const name = period === undefined ? undefined : servedAudio(period)?.name;
  const segment = period?.segments[2];
  if (name === undefined || segment === undefined) throw new Error('the stream has audio');
  const audio = mediaOf(segment, name);
  expect(lackOf(timeline, ({ sha256 }) => sha256 !== audio?.sha256)).toEqual({ belowNumber: 3 });
});
