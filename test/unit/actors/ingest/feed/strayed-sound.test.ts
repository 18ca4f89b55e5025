/** Sound that is gone is told from sound that does not come. */
import { expect, test } from 'vitest';
import { feed, play, refusalsOf, segmentsOf } from '../../../../support/ingest/flv-builders.ts';

const pictures = feed({ seconds: 40, hasAudio: false });

function playWith(sound: readonly { readonly tag: (typeof pictures)[number]; readonly atMs: number }[]) {
  const all = [...pictures.map((tag) => ({ tag, atMs: tag.timestampMs })), ...sound].toSorted(
    (a, b) => a.atMs - b.atMs,
  );
  return play(
    all.map(({ tag }) => tag),
    { wallMs: (index) => all[index]?.atMs ?? 0 },
  );
}

test('a microphone that fell behind, was switched off for 15 s and comes back does not end the feed', () => {
  const sound = feed({ seconds: 40, hasVideo: false })
    .filter(({ timestampMs: ms }) => ms < 10_000 || ms > 25_000)
    .map((tag) => ({
      tag,
      atMs: tag.timestampMs + (tag.timestampMs > 8000 && tag.timestampMs < 10_000 ? 4000 : 0),
    }));
  const played = playWith(sound);
  expect(refusalsOf(played)).toEqual([]);
  const last = segmentsOf(played).at(-1);
  expect(last?.audio?.samples.length).toBeGreaterThan(0);
});

test('sound that comes all the time and is never in time is refused with how far it is away', () => {
  const sound = feed({ seconds: 40, hasVideo: false }).map((tag) => ({ tag, atMs: tag.timestampMs + 4000 }));
  expect(refusalsOf(playWith(sound))).toMatchObject([{ code: 'MEDIA_INVALID' }]);
});
