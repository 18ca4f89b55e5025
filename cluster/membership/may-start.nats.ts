/**
 * Refuses a node that may not become a member (C3): one of another cluster or version, one more than the bound, or one whose node id
 * another process uses that still answers its probe.
 */
import { TangazaError } from '../errors/tangaza-error.ts';
import { detectorLimits } from './detector.ts';
import type { Member } from './member-directory.ts';
import { probeByNats, type Place } from './probe.nats.ts';
import { findMember, isLive, misfit, type View } from './view.ts';

interface Newcomer {
  readonly self: Member;
  readonly secretHash: string;
  readonly place: Place;
}

/** @throws TangazaError `CONFLICT` that says what to do */
export async function refuseMisfit(
  view: View | undefined,
  { self, secretHash, place }: Newcomer,
): Promise<void> {
  if (view === undefined) return;
  const fault = misfit(view, self, secretHash);
  if (fault !== undefined) throw new TangazaError('CONFLICT', fault);
  const namesake = findMember(view, self.id);
  if (namesake === undefined || namesake.bootId === self.bootId || !isLive(namesake)) return;
  if ((await probeByNats(place, namesake, detectorLimits.p2TimeoutMs)) === undefined) return;
  throw new TangazaError(
    'CONFLICT',
    `A node ${self.id} runs already (process ${namesake.pid} on ${namesake.host}): set another TANGAZA_NODE_ID.`,
  );
}
