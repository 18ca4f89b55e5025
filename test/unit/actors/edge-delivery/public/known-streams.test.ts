/** What an edge remembers of the registry's answers, and how often it asks. */
import { expect, test } from 'vitest';
import type { Hop } from '../../../../../actors/edge-delivery/http/caller.ts';
import { KnownStreams, type Standing } from '../../../../../actors/edge-delivery/public/known-streams.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const demo = StreamId.parse('demo');
const known: Standing = { kind: 'known', title: 'Demo', createdAtMs: 1 };

const from = (remoteAddress: string): Hop => ({ remoteAddress, header: () => '' });
const viewer = from('10.0.0.1');

function registry(answers: Record<string, Standing> = {}) {
  const clock = new JumpingClock();
  const asked: string[] = [];
  const lookUpStream = async (id: StreamId): Promise<Standing> => {
    asked.push(id);
    return answers[id] ?? { kind: 'unknown' };
  };
  const isTrustedProxy = () => false;
  const streams = new KnownStreams({ clock, lookUpStream, isTrustedProxy, removedSince: async () => [] });
  return { clock, asked, streams, answers };
}

test('a known stream is asked for once a minute, or as often as the caller wants it fresh', async () => {
  const { clock, asked, streams } = registry({ demo: known });
  for (const atMs of [0, 1, 59_999]) {
    clock.nowMs = atMs;
    expect(await streams.standing(viewer, demo)).toEqual(known);
  }
  expect(asked).toHaveLength(1);
  expect(await streams.standing(viewer, demo, 1000)).toEqual(known);
  expect(asked).toHaveLength(2);
});

test('an unknown and a removed stream are asked for once a second: they may be there again', async () => {
  const { clock, asked, streams, answers } = registry({ demo: { kind: 'removed', removedAtMs: 5 } });
  expect(await streams.standing(viewer, demo)).toEqual({ kind: 'removed', removedAtMs: 5 });
  clock.nowMs = 999;
  expect(await streams.standing(viewer, demo)).toEqual({ kind: 'removed', removedAtMs: 5 });
  expect(asked).toHaveLength(1);
  answers['demo'] = known;
  clock.nowMs = 1000;
  expect(await streams.standing(viewer, demo)).toEqual(known);
});

test('a stream that was removed is asked for anew', async () => {
  const { asked, streams, answers } = registry({ demo: known });
  await streams.standing(viewer, demo);
  answers['demo'] = { kind: 'removed', removedAtMs: 5 };
  streams.forget(demo);
  expect(await streams.standing(viewer, demo)).toMatchObject({ kind: 'removed' });
  expect(asked).toHaveLength(2);
});

type Registry = ReturnType<typeof registry>;

/** What of 20,000 made-up ids within a second is answered how. */
async function flood({ streams }: Registry, sender: (index: number) => Hop): Promise<object> {
  const outcomes = new Map<string, number>();
  for (let index = 0; index < 20_000; index += 1) {
    const outcome = await streams.standing(sender(index), StreamId.parse(`made-up-${index}`)).then(
      ({ kind }) => kind,
      (error: unknown) => errorCodeOf(error),
    );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return Object.fromEntries(outcomes);
}

// Goal: made-up ids cost the registry a trickle, known streams nothing, and nobody but their sender an answer.
test.for<[string, (index: number) => Hop]>([
  ['an address', () => from('10.0.0.9')],
  ['an IPv6 network', (index) => from(`2001:db8:0:7::${index.toString(16)}`)],
])('a flood of made-up ids from %s reaches the registry 64 times a second at most', async ([, sender]) => {
  const tried = registry({ demo: known, other: known });
  const { clock, asked, streams } = tried;
  await streams.standing(viewer, demo);
  expect(await flood(tried, sender)).toEqual({ unknown: 64, OVERLOADED: 19_936 });
  expect(asked).toHaveLength(65);
  expect(await streams.standing(viewer, demo, 0)).toEqual(known);
  expect(await streams.standing(viewer, StreamId.parse('other'))).toEqual(known);
  expect(await streams.standing(viewer, StreamId.parse('nothing'))).toEqual({ kind: 'unknown' });
  clock.nowMs = 1000;
  expect(await streams.standing(sender(1), StreamId.parse('another'))).toEqual({ kind: 'unknown' });
});

test('a flood from everywhere reaches the registry 2,048 times a second at most, and pushes no known stream out', async () => {
  const tried = registry({ demo: known });
  await tried.streams.standing(viewer, demo);
  const everywhere = (index: number): Hop => from(`10.${index % 250}.${(index >> 8) % 250}.7`);
  expect(await flood(tried, everywhere)).toEqual({ unknown: 2048, OVERLOADED: 17_952 });
  expect(await tried.streams.standing(viewer, demo)).toEqual(known);
});

test('streams cost nobody: a sender may open as many as there are', async () => {
  const ids = Array.from({ length: 200 }, (_, index) => StreamId.parse(`show-${index}`));
  const { streams } = registry(Object.fromEntries(ids.map((id) => [id, known])));
  for (const id of ids) expect(await streams.standing(viewer, id)).toEqual(known);
});

test('many who ask at once are one question', async () => {
  const { asked, streams } = registry({ demo: known });
  await Promise.all(Array.from({ length: 100 }, () => streams.standing(viewer, demo)));
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
    isTrustedProxy: () => false,
    removedSince: (utcMs) => answer(utcMs === clock.nowMs - 60_000 ? [demo] : []),
  });
  expect(await streams.removedLately()).toEqual([demo]);
  expect(streams.lastKnown(demo)).toBeUndefined();
  await streams.standing(viewer, demo);
  isGone = true;
  clock.nowMs = 100_000;
  await expect(streams.standing(viewer, demo)).rejects.toThrow('gone');
  expect(streams.lastKnown(demo)).toEqual(known);
  expect(await streams.removedLately()).toEqual([]);
});
