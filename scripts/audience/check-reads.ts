/** Judges what the pages of a history hold: reads that go back, and pages out of order. Pure. */
import { maybeHidden, type Finding } from './check-comments.ts';
import type { History, Read } from './history.ts';
import { comparePlaces, OrderedPlaces, type Place } from './place.ts';

interface Known extends Place {
  /** Since when the user has known it. */
  readonly sinceMs: number;
}

/**
 * A user was shown a comment, or told that his own was taken, and a page that he asked for later and that reaches over its place does not
 * have it.
 */
export function findGoingBack(history: History): readonly Finding[] {
  const hidden = maybeHidden(history);
  const known = new Map<string, OrderedPlaces<Known>>();
  const findings: Finding[] = [];
  for (const event of history) {
    const places = known.get(event.user) ?? new OrderedPlaces<Known>();
    known.set(event.user, places);
    switch (event.kind) {
      case 'acknowledged':
        places.add({ id: event.id, createdAtMs: event.createdAtMs, sinceMs: event.atMs });
        break;
      case 'told':
        places.add({ ...placeOf(event.comment), sinceMs: event.atMs });
        break;
      case 'read': {
        const ids = new Set(event.items.map(({ id }) => id));
        for (const { id, sinceMs } of reach(event, places))
          if (sinceMs < event.askedAtMs && !ids.has(id) && !hidden.has(id))
            findings.push({
              comment: id,
              what: `was known to ${event.user}, and is not in a later page of ${event.edge}`,
            });
        for (const item of event.items) places.add({ ...placeOf(item), sinceMs: event.atMs });
        break;
      }
      default:
    }
  }
  return findings;
}

const placeOf = ({ id, createdAtMs }: Place): Place => ({ id, createdAtMs });

/** The known places that a page reaches over. */
function reach({ order, from, hasMore, items }: Read, places: OrderedPlaces<Known>): readonly Known[] {
  const last = items.at(-1);
  if (hasMore && last === undefined) return [];
  const end = hasMore ? last : undefined;
  return order === 'newestFirst' ? places.between(end, from) : places.between(from, end);
}

/** A page whose comments do not follow from each other, or from the place where it was asked to begin. */
export function findDisorder(history: History): readonly Finding[] {
  return history.flatMap((event) => (event.kind === 'read' ? disorderIn(event) : []));
}

function disorderIn({ items, from, order, edge }: Read): readonly Finding[] {
  const sign = order === 'newestFirst' ? -1 : 1;
  return items.flatMap((item, index) => {
    const before = items[index - 1] ?? from;
    if (before === undefined || sign * comparePlaces(item, before) > 0 || item.id === before.id) return [];
    return [{ comment: item.id, what: `comes after ${before.id} in a page of ${edge}, ${order}` }];
  });
}
