/** Judges what the acts in a history led to: likes against their set, and what was hidden and yet seen. Pure. */
import { lastReads, type Finding } from './check-comments.ts';
import type { History, Like, Moderation, Seen } from './history.ts';

/** What one user makes of one comment. */
interface Opinion {
  /** By the last answer. */
  readonly isOn: boolean;
  /** Asked since then, and not answered: it may count or not. */
  readonly open: boolean | undefined;
  /** One of those was given up without an answer: that a later one is refused says nothing about it. */
  readonly isGivenUp: boolean;
}

const noOpinion: Opinion = { isOn: false, open: undefined, isGivenUp: false };

/** The likes of a comment, in the end, are the users whose last word was a like. A last word that was not answered may count or not. */
export function findWrongLikes(history: History): readonly Finding[] {
  const opinions = new Map<string, Map<string, Opinion>>();
  for (const event of history) {
    if (event.kind !== 'like') continue;
    const users = opinions.get(event.id) ?? new Map<string, Opinion>();
    opinions.set(event.id, users.set(event.user, afterLike(users.get(event.user) ?? noOpinion, event)));
  }
  return lastReads(history).flatMap(({ items, edge }) =>
    items.flatMap(({ id, likes: told, hidden }) => {
      const last = [...(opinions.get(id)?.values() ?? [])];
      if (last.length === 0 || hidden) return [];
      const least = last.filter(({ isOn, open = isOn }) => isOn && open).length;
      const most = last.filter(({ isOn, open = isOn }) => isOn || open).length;
      if (told >= least && told <= most) return [];
      const wanted = least === most ? `${least}` : `${least} to ${most}`;
      return [{ comment: id, what: `has ${told} likes at ${edge}, and ${wanted} users like it` }];
    }),
  );
}

function afterLike(before: Opinion, like: Like): Opinion {
  const { isOn, isGivenUp } = before;
  switch (like.step) {
    case 'done':
      return { isOn: like.isOn, open: undefined, isGivenUp: false };
    case 'refused':
      return isGivenUp ? before : { isOn, open: undefined, isGivenUp };
    case 'unanswered':
      return { isOn, open: like.isOn, isGivenUp: true };
    default:
      return { isOn, open: like.isOn, isGivenUp };
  }
}

/**
 * A hide was acknowledged, and somebody was shown the comment afterwards, before anybody asked to restore it.
 *
 * @param graceMs how long after the acknowledgement edges may still show it
 */
export function findHiddenAndSeen(history: History, graceMs: number): readonly Finding[] {
  const acts = new Map<string, Moderation>();
  const findings: Finding[] = [];
  const look = (
    { id, hidden }: Seen,
    atMs: number,
    { user, mostMs }: { user: string; mostMs: number },
  ): void => {
    const last = acts.get(id);
    if (hidden || last?.act !== 'hide' || last.step !== 'done') return;
    const afterMs = Math.round(atMs - last.atMs);
    if (afterMs > mostMs)
      findings.push({ comment: id, what: `was hidden, and shown to ${user} ${afterMs} ms later` });
  };
  for (const event of history) {
    const { user } = event;
    if (event.kind === 'moderation') acts.set(event.id, event);
    if (event.kind === 'told') look(event.comment, event.atMs, { user, mostMs: graceMs });
    if (event.kind !== 'read') continue;
    const mostMs = event.isLast ? 0 : graceMs;
    for (const item of event.items) look(item, event.askedAtMs, { user, mostMs });
  }
  return findings;
}
