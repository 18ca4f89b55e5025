/** Decides, from the accusations that a node has heard, who is suspected and who is to be declared dead (C3; detector.ts D2 and D6). */
import type { NodeId } from '../model/ids.ts';
import { accused, accusersOf, type Heard, type Said } from './heard.ts';
import { monitorsOf } from './monitors.ts';
import { findMember, isLive, lifeOf, type Life, type View } from './view.ts';

interface Evidence {
  readonly view: View;
  readonly heard: Heard;
}

/** How long an accusation lasts (detector.ts D6). */
export const accusationMs = 3000;

/** The live members that any of their monitors accuses now. */
export function suspectedLives(evidence: Evidence, nowMs: number): readonly Life[] {
  return [...accused(evidence.heard)].flatMap((id) => {
    const member = findMember(evidence.view, id);
    if (member === undefined || !isLive(member) || !isSuspect(evidence, id, nowMs)) return [];
    return [lifeOf(member)];
  });
}

/** How many members of the whole region are accused by enough monitors, as far as this node has heard. */
export function convictions(evidence: Evidence, nowMs: number): number {
  let count = 0;
  for (const id of accused(evidence.heard)) {
    const member = findMember(evidence.view, id);
    if (member !== undefined && isLive(member) && isConvicted(evidence, member, nowMs)) count += 1;
  }
  return count;
}

/** Says whether enough monitors accuse this life (detector.ts D2). */
export function isConvicted(evidence: Evidence, life: Life, nowMs: number): boolean {
  const monitors = monitorsOf(evidence.view, life.id);
  const accusers = monitors.filter((monitor) => doesAccuse(evidence, monitor, life, nowMs));
  return accusers.length >= Math.min(2, monitors.length);
}

export function doesAccuse({ heard }: Evidence, monitor: NodeId, life: Life, nowMs: number): boolean {
  const said = accusersOf(heard, life.id)?.get(monitor);
  return said !== undefined && isLiving(said, life, nowMs);
}

/**
 * Says whether an accusation still counts (detector.ts D6). One that does not stays in `heard` until the life of its target ends, which is
 * cheaper than looking for it.
 */
const isLiving = ({ incarnation, atMs }: Said, life: Life, nowMs: number): boolean =>
  incarnation === life.incarnation && nowMs - atMs < accusationMs;

/** Says whether anybody accuses this member now. */
export function isSuspect({ heard, view }: Evidence, id: NodeId, nowMs: number): boolean {
  const accusers = accusersOf(heard, id);
  const life = accusers === undefined ? undefined : findMember(view, id);
  if (accusers === undefined || life === undefined) return false;
  for (const said of accusers.values()) if (isLiving(said, life, nowMs)) return true;
  return false;
}
