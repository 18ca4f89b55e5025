/** What an edge remembers of the registry's answers, and how often it asks. */
import { expect, test } from 'vitest';
import { KnownStreams, type Standing } from '../../../../../actors/edge-delivery/public/known-streams.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const demo = StreamId.parse('demo');
const known: Standing = { kind: 'known', title: 'Demo', createdAtMs: 1 };

function registry(answers: Record<string, Standing> = {}) {
  const clock = new JumpingClock();
  const asked: string[] = [];
  const lookUpStream = async (id: StreamId): Promise<Standing> => {
    asked.push(id);
    return answers[id] ?? { kind: 'unknown' };
  };
  const streams = new KnownStreams({ clock, lookUpStream, removedSince: async () => [] });
  return { clock, asked, streams, answers };
}

test('a known stream is asked for once a minute, or as often as the caller wants it fresh', async () => {
  const { clock, asked, streams } = registry({ demo: known });
  for (const atMs of [0, 1, 59_999]) {
    clock.nowMs = atMs;
    expect(await streams.standing(demo)).toEqual(known);
  }
  expect(asked).toHaveLength(1);
  expect(await streams.standing(demo, 1000)).toEqual(known);
  expect(asked).toHaveLength(2);
});

test('an unknown and a removed stream are asked for once a second: they may be there again', async () => {
  const { clock, asked, streams, answers } = registry({ demo: { kind: 'removed', removedAtMs: 5 } });
  expect(await streams.standing(demo)).toEqual({ kind: 'removed', removedAtMs: 5 });
  clock.nowMs = 999;
  expect(await streams.standing(demo)).toEqual({ kind: 'removed', removedAtMs: 5 });
  expect(asked).toHaveLength(1);
  answers['demo'] = known;
  clock.nowMs = 1000;
  expect(await streams.standing(demo)).toEqual(known);
});

test('a stream that was removed is asked for anew', async () => {
  const { asked, streams, answers } = registry({ demo: known });
  await streams.standing(demo);
  answers['demo'] = { kind: 'removed', removedAtMs: 5 };
  streams.forget(demo);
  expect(await streams.standing(demo)).toMatchObject({ kind: 'removed' });
  expect(asked).toHaveLength(2);
});

// Goal: made-up ids cost the registry a trickle, and known streams nothing. Method: 20,000 different ids within a second.
test('a flood of made-up ids reaches the registry 256 times a second at most, and pushes no known stream out', async () => {
  const { clock, asked, streams } = registry({ demo: known });
  await streams.standing(demo);
  const codes = new Map<string, number>();
  for (let index = 0; index < 20_000; index += 1) {
    const outcome = await streams.standing(StreamId.parse(`made-up-${index}`)).then(
      ({ kind }) => kind,
      (error: unknown) => errorCodeOf(error),
    );
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  expect(Object.fromEntries(codes)).toEqual({ unknown: 255, OVERLOADED: 19_745 });
  expect(asked).toHaveLength(256);
  expect(await streams.standing(demo)).toEqual(known);
  expect(await streams.standing(demo, 0)).toEqual(known);
  clock.nowMs = 1000;
  expect(await streams.standing(StreamId.parse('another'))).toEqual({ kind: 'unknown' });
});

test('many who ask at once are one question', async () => {
  const { asked, streams } = registry({ demo: known });
  await Promise.all(Array.from({ length: 100 }, () => streams.standing(demo)));
  expect(asked).toHaveLength(1);
});

test('with the registry gone the last known title is there for who asks for it', async () => {
  let isGone = false;
  const clock = new JumpingClock();
  const answer = async <T>(value: T): Promise<T> => {
    if (isGone) throw new Error('gone');
    return value;
  };
  const streams = new KnownStreams({
    clock,
    lookUpStream: () => answer(known),
    removedSince: (utcMs) => answer(utcMs === clock.nowMs - 60_000 ? [demo] : []),
  });
  expect(await streams.removedLately()).toEqual([demo]);
  expect(streams.lastKnown(demo)).toBeUndefined();
  await streams.standing(demo);
  isGone = true;
  clock.nowMs = 100_000;
  await expect(streams.standing(demo)).rejects.toThrow('gone');
  expect(streams.lastKnown(demo)).toEqual(known);
  expect(await streams.removedLately()).toEqual([]);
});
