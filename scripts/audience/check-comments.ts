/** Judges what became of the comments of a history: lost, missed, doubled, changed, or taken after all. Pure. */
import type { Acknowledged, History, Joined, Read, Seen, Sent } from './history.ts';

export interface Finding {
  /** A comment: its id, or its text where it has none. */
  readonly comment: string;
  /** What is wrong with it, as a sentence without a subject. */
  readonly what: string;
}

/** A user's name and the clientId: the same comment, by whatever way it is sent. */
const keyOf = ({ user, clientId }: { readonly user: string; readonly clientId: string }): string =>
  `${user} ${clientId}`;

export const lastReads = (history: History): readonly Read[] =>
  history.filter((event) => event.kind === 'read').filter(({ isLast }) => isLast);

const acknowledgedIn = (history: History): readonly Acknowledged[] =>
  history.filter((event) => event.kind === 'acknowledged');

/** All that was seen of comments, in pages and frames. */
export function* sightings(history: History): Generator<Seen & { readonly user: string }> {
  for (const event of history) {
    if (event.kind === 'told') yield { ...event.comment, user: event.user };
    if (event.kind === 'read') for (const item of event.items) yield { ...item, user: event.user };
  }
}

/** Comments that need not be shown: somebody hid them, perhaps, or they were seen hidden. */
export function maybeHidden(history: History): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const event of history) {
    if (event.kind === 'moderation' && event.act === 'hide') ids.add(event.id);
    if (event.kind === 'moderation' && event.act === 'restore' && event.step === 'done') ids.delete(event.id);
    if (event.kind === 'told' && event.comment.hidden) ids.add(event.comment.id);
    if (event.kind === 'read') for (const { id, hidden } of event.items) if (hidden) ids.add(id);
  }
  return ids;
}

/** Acknowledged, and not there in the end. Each edge is read; one that lacks it is enough. */
export function findLost(history: History): readonly Finding[] {
  const hidden = maybeHidden(history);
  const reads = lastReads(history).map(({ edge, items }) => ({
    edge,
    ids: new Set(items.map(({ id }) => id)),
  }));
  return acknowledgedIn(history).flatMap(({ id, user }) => {
    const lacking = reads.filter(({ ids }) => !ids.has(id)).map(({ edge }) => edge);
    if (lacking.length === 0 || hidden.has(id)) return [];
    return [{ comment: id, what: `was acknowledged to ${user}, and is not at ${lacking.join(', ')}` }];
  });
}

/** Nothing is known of what was lost, as long as nobody has read all of it in the end. */
export function findUnread(history: History): readonly Finding[] {
  const reads = lastReads(history);
  if (reads.length === 0) return [{ comment: 'all', what: 'was not read in the end' }];
  return reads
    .filter(({ hasMore }) => hasMore)
    .map(({ edge }) => ({ comment: 'all', what: `was not read to its end at ${edge}` }));
}

/** Who could not come back, or never got an answer. */
export function findAway(history: History): readonly Finding[] {
  return history.flatMap((event) =>
    event.kind === 'away' ? [{ comment: 'all', what: `was out of reach for ${event.user} in the end` }] : [],
  );
}

/** Acknowledged while somebody was there, who stayed to the end and was never shown it. */
export function findMissed(history: History): readonly Finding[] {
  const hidden = maybeHidden(history);
  const known = new Map<string, Set<string>>();
  const knownTo = (user: string): Set<string> => {
    const ids = known.get(user) ?? new Set();
    known.set(user, ids);
    return ids;
  };
  for (const { user, id } of sightings(history)) knownTo(user).add(id);
  for (const { user, id } of acknowledgedIn(history)) knownTo(user).add(id);
  const acknowledged = acknowledgedIn(history);
  const beganMs = history[0]?.atMs ?? 0;
  const second = (atMs: number): string => `${((atMs - beganMs) / 1000).toFixed(1)} s`;
  return stays(history).flatMap(({ user, fromMs, untilMs, joins }) =>
    acknowledged
      .filter(
        ({ id, atMs }) => atMs >= fromMs && atMs <= untilMs && !hidden.has(id) && !knownTo(user).has(id),
      )
      .map(({ id, atMs }) => ({
        comment: id,
        what: `of ${second(atMs)} was never shown to ${user}, who joined ${joins.map((join) => `${join.edge} at ${second(join.atMs)} (${join.resume})`).join(', ')}`,
      })),
  );
}

interface Stay {
  readonly user: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly joins: readonly Joined[];
}

/** From when to when users were there who stayed to the end. */
function stays(history: History): readonly Stay[] {
  const joined = Map.groupBy(
    history.filter((event) => event.kind === 'joined'),
    ({ user }) => user,
  );
  return history
    .filter((event) => event.kind === 'settled')
    .map(({ user, atMs: untilMs }) => {
      const joins = joined.get(user) ?? [];
      return { user, fromMs: joins[0]?.atMs ?? Infinity, untilMs, joins };
    });
}

/** One comment under two ids, two comments under one id, or one that a page has twice. */
export function findDoubled(history: History): readonly Finding[] {
  const ids = new Map<string, Set<string>>();
  const keys = new Map<string, Set<string>>();
  for (const one of acknowledgedIn(history)) {
    ids.set(keyOf(one), (ids.get(keyOf(one)) ?? new Set()).add(one.id));
    keys.set(one.id, (keys.get(one.id) ?? new Set()).add(keyOf(one)));
  }
  return [
    ...[...ids].flatMap(([key, all]) =>
      all.size < 2 ? [] : [{ comment: [...all].join(', '), what: `are one comment, ${key}` }],
    ),
    ...[...keys].flatMap(([id, all]) =>
      all.size < 2 ? [] : [{ comment: id, what: `stands for ${all.size} comments: ${[...all].join(', ')}` }],
    ),
    ...history.flatMap((event) => (event.kind === 'read' ? repeatedIn(event) : [])),
    ...lastReads(history).flatMap((read) => sameText(read, textsOf(history))),
  ];
}

function repeatedIn({ items, edge }: Read): readonly Finding[] {
  const seen = new Set<string>();
  return items.flatMap(({ id }) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [{ comment: id, what: `is twice in one page of ${edge}` }];
  });
}

/** Each text of a history is sent once: what has it is that comment. */
function sameText({ items, edge }: Read, texts: ReadonlyMap<string, Sent>): readonly Finding[] {
  const firsts = new Map<string, string>();
  return items.flatMap(({ id, text }) => {
    const first = firsts.get(text) ?? id;
    firsts.set(text, first);
    if (first === id || !texts.has(text)) return [];
    return [{ comment: id, what: `says what ${first} says, at ${edge}` }];
  });
}

function textsOf(history: History): ReadonlyMap<string, Sent> {
  return new Map(history.flatMap((event) => (event.kind === 'sent' ? [[event.text, event] as const] : [])));
}

/** Its author was told that it is not taken, and it is there. */
export function findRefusedAndThere(history: History): readonly Finding[] {
  const open = new Set<string>();
  const codes = new Map<string, string>();
  for (const event of history) {
    if (event.kind === 'acknowledged' || event.kind === 'unanswered') open.add(keyOf(event));
    if (event.kind === 'refused') codes.set(keyOf(event), event.code);
  }
  const texts = textsOf(history);
  return lastReads(history).flatMap(({ items, edge }) =>
    items.flatMap(({ id, text }) => {
      const sent = texts.get(text);
      const code = sent === undefined || open.has(keyOf(sent)) ? undefined : codes.get(keyOf(sent));
      return code === undefined ? [] : [{ comment: id, what: `was refused (${code}), and is at ${edge}` }];
    }),
  );
}

/** One id, and another text, author or time than before. */
export function findChanged(history: History): readonly Finding[] {
  const firsts = new Map<string, Seen>();
  const told = new Set<string>();
  const findings: Finding[] = [];
  const sent = sentById(history);
  for (const seen of sightings(history)) {
    if (seen.hidden || told.has(seen.id)) continue;
    const first = firsts.get(seen.id) ?? seen;
    firsts.set(seen.id, first);
    const text = sent.get(seen.id) ?? first.text;
    const isSame =
      text === seen.text && first.author === seen.author && first.createdAtMs === seen.createdAtMs;
    if (isSame) continue;
    told.add(seen.id);
    findings.push({ comment: seen.id, what: `was ${tell(first, text)}, and is ${tell(seen, seen.text)}` });
  }
  return findings;
}

const tell = ({ author, createdAtMs }: Seen, text: string): string =>
  `${JSON.stringify(text)} by ${author} at ${createdAtMs}`;

/** What its author sent, for each id that an author was told. */
function sentById(history: History): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const event of history) if (event.kind === 'sent') texts.set(keyOf(event), event.text);
  return new Map(
    acknowledgedIn(history).flatMap((one) => {
      const text = texts.get(keyOf(one));
      return text === undefined ? [] : [[one.id, text] as const];
    }),
  );
}
