/**
 * Decides whether a second publisher is the same encoder. Content decides, because no two connections have one clock
 * (M1, M2).
 *
 * The log's last sources say with which IDR and which audio frame each segment begins. The new session says which IDRs
 * and frames it has, on its own clock. Each equal hash proposes an offset between the two clocks.
 *
 * W1. The media is the same when two segments in a row propose the same offset within 2 ms. A still picture may propose
 *     several offsets: the one with the most votes counts, and none on a tie.
 * W2. Audio has an offset of its own, in whole samples, so that both sessions cut their frames alike. Of several
 *     offsets the one nearest to that of the video counts.
 * W3. A copy that lags, such as the same file played later, is no twin: its newest IDR must lie near the newest known
 *     one.
 */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import type { PeriodId } from '../../../cluster/model/ids.ts';

/** By what one source in the log is recognised: what it begins with. */
export interface SourceMark {
  readonly period: PeriodId;
  readonly start90k: number;
  /** The start of the hash in the log, as long as the hashes of the marks. */
  readonly picture: string | undefined;
  readonly audio: { readonly start: number; readonly hash: string } | undefined;
}

export interface Match {
  /** Where the new session's zero lies on the stream's clock. */
  readonly offset90k: number;
  /** The same for its audio, in samples; undefined when no audio matched. */
  readonly audioOffset: number | undefined;
}

const tolerance90k = 180;
/** How far the newest IDR may lie behind the newest known one (W3). */
const maxLag90k = 6 * 90_000;
/** Audio must lie within this of the offset that video proposes. */
const maxApartSeconds = 0.5;

/** @param known the last sources of one period, in order */
export function matchTwin(
  known: readonly SourceMark[],
  marks: PeriodMarks,
  sampleRate: number | undefined,
): Match | undefined {
  const offset90k = pictureOffset(known, marks);
  const newest = known.at(-1);
  const newestMark = marks.pictures.at(-1);
  if (offset90k === undefined || newest === undefined || newestMark === undefined) return undefined;
  if (newestMark.at90k + offset90k < newest.start90k - maxLag90k) return undefined;
  return { offset90k, audioOffset: audioOffset(known, marks, { offset90k, sampleRate }) };
}

/** The offset that two segments in a row propose; of several the one with the most votes (W1). */
function pictureOffset(known: readonly SourceMark[], { pictures }: PeriodMarks): number | undefined {
  const proposals = known.map(({ start90k, picture }) =>
    pictures.filter(({ hash }) => hash === picture).map(({ at90k }) => start90k - at90k),
  );
  const agreed = proposals
    .slice(1)
    .flatMap((later, index) =>
      later.filter((offset) => (proposals[index] ?? []).some((before) => isNear(before, offset))),
    );
  const supporters = (offset: number): number => agreed.filter((other) => isNear(other, offset)).length;
  const most = Math.max(0, ...agreed.map(supporters));
  const best = agreed.filter((offset) => supporters(offset) === most);
  const [first] = best;
  return first !== undefined && best.every((offset) => isNear(offset, first)) ? median(best) : undefined;
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance90k;

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The offset of the audio in whole samples; of several the one nearest to that of the video (W2). */
function audioOffset(
  known: readonly SourceMark[],
  { audio }: PeriodMarks,
  { offset90k, sampleRate }: { readonly offset90k: number; readonly sampleRate: number | undefined },
): number | undefined {
  if (audio === undefined || sampleRate === undefined) return undefined;
  const expected = (offset90k * sampleRate) / 90_000;
  const votes = new Map<number, number>();
  for (const mark of known) {
    for (const [index, hash] of audio.hashes.entries()) {
      if (hash !== mark.audio?.hash) continue;
      const offset = mark.audio.start - (audio.start + index * audio.samplesPerFrame);
      if (Math.abs(offset - expected) <= maxApartSeconds * sampleRate)
        votes.set(offset, (votes.get(offset) ?? 0) + 1);
    }
  }
  const agreed = [...votes].filter(([, count]) => count >= 2);
  const most = Math.max(0, ...agreed.map(([, count]) => count));
  return agreed
    .filter(([, count]) => count === most)
    .map(([offset]) => offset)
    .toSorted((a, b) => Math.abs(a - expected) - Math.abs(b - expected))[0];
}
