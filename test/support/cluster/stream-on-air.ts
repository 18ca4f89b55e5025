/** An owner with a publisher on air, and by what a second one is recognised (M2). */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import { SessionId, type Sha256 } from '../../../cluster/model/ids.ts';
import { OwnerHarness } from '../ingest/owner-harness.ts';
import { sha } from '../ports/records.ts';

const segment90k = 180_000;

/** An owner with an incumbent `s1` that has offered `count` segments. */
export function onAir(count: number) {
  const owner = new OwnerHarness();
  const id = owner.begin('s1');
  const segment = (index: number, session = 's1') =>
    owner.segment(id, index, { sessionId: SessionId.parse(session), keyFrameHash: keyHash(index) });
  for (let index = 0; index < count; index += 1) owner.offer(segment(index));
  return { owner, id, segment };
}

export const keyHash = (index: number): Sha256 => sha(`a${index.toString(16)}`);

/** Marks of a clock that began `from` segments later. */
export const marksOf = (from: number, count: number, step90k = segment90k): PeriodMarks => ({
  pictures: Array.from({ length: count }, (_, index) => ({
    at90k: index * step90k,
    hash: keyHash(from + index).slice(0, 16),
  })),
});
