import { describe, expect, test } from 'vitest';
import { nextPollMs, readAnswer } from '../../../../../actors/edge-delivery/viewing/public-stream.ts';

describe('an answer', () => {
  const news = { id: 'news', title: 'News', state: 'live', since: '2026-11-01T00:00:00Z', poster: '/p.jpg' };

  test.for<[string, number | undefined, unknown, string]>([
    ['of a stream', 200, news, 'stream'],
    ['of a stream that nobody knows', 404, undefined, 'unknown'],
    ['of an id that cannot be', 400, undefined, 'unknown'],
    ['of a removed stream', 410, undefined, 'removed'],
    ['of an edge that is overloaded', 503, undefined, 'none'],
    ['that is no answer', undefined, undefined, 'none'],
    ['with a state that this page does not know', 200, { ...news, state: 'dancing' }, 'none'],
    ['that is no object', 200, 'live', 'none'],
  ])('%s', ([, status, body, kind]) => expect(readAnswer(status, body).kind).toBe(kind));

  test('without a picture has none', () => {
    const answer = readAnswer(200, { ...news, poster: null });
    expect(answer).toEqual({ kind: 'stream', stream: { title: 'News', state: 'live', poster: undefined } });
  });
});

describe('the next question', () => {
  const asked = { isHidden: false, lastAnswer: 'stream', inARow: 1, retryAfterSeconds: undefined } as const;

  test('comes soon enough to see a change within 3 s, and not at the same moment on all pages', () => {
    const [first = 0, last = 0] = [nextPollMs(asked, 0), nextPollMs(asked, 1)];
    expect({ isSoon: last < 2500, isSpread: last - first > 400 }).toEqual({ isSoon: true, isSpread: true });
  });

  test('comes seldom while nobody looks', () => {
    expect(nextPollMs({ ...asked, isHidden: true }, 0.5)).toBe(20_000);
  });

  test('backs off while nobody answers, within a bound', () => {
    const waits = [1, 2, 3, 4, 50].map((inARow) => nextPollMs({ ...asked, lastAnswer: 'none', inARow }, 0.5));
    expect(waits).toEqual([1900, 3800, 7600, 15_000, 15_000]);
  });

  test('waits for as long as the edge asks, up to a minute', () => {
    expect(nextPollMs({ ...asked, lastAnswer: 'none', retryAfterSeconds: 30 }, 0.5)).toBe(30_000);
    expect(nextPollMs({ ...asked, lastAnswer: 'none', retryAfterSeconds: 9e9 }, 0.5)).toBe(60_000);
  });

  test('is the last one of a removed stream, and the third of an unknown one', () => {
    expect(nextPollMs({ ...asked, lastAnswer: 'removed' }, 0.5)).toBeUndefined();
    const unknown = [1, 2, 3].map((inARow) => nextPollMs({ ...asked, lastAnswer: 'unknown', inARow }, 0.5));
    expect(unknown).toEqual([1900, 1900, undefined]);
  });
});
