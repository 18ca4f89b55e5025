/**
 * The comments of this browser that are not yet safe: what nobody has acknowledged, and what no other region has (A6). Bound: 200, the
 * oldest goes; after 24 h a receipt is worth nothing, and neither is the entry.
 */
import { isStillMeant, ownComment, type Draft, type OwnComment } from './own-comment.ts';
import { leftUnsent } from './problem.ts';
import { fieldOf, numberOf, textOf } from './read-json.ts';

export const mostEntries = 200;
const keptMs = 86_400_000;

export interface Entry {
  readonly clientId: string;
  readonly streamId: string;
  readonly userId: string;
  readonly draft: Draft;
  /** The tab that sends it; undefined where an earlier version of the page wrote it. */
  readonly tab: string | undefined;
  /** Absent while nobody has accepted it. */
  readonly accepted: { readonly id: string; readonly receipt: string | undefined } | undefined;
}

/** What an entry is made of beside the comment. */
export interface EntryPlace {
  readonly streamId: string;
  readonly tab: string;
  /** Undefined where no server has said it yet. */
  readonly hasReplication: boolean | undefined;
}

/** Undefined for what needs no keeping. */
export function entryOf(own: OwnComment, { streamId, tab, hasReplication }: EntryPlace): Entry | undefined {
  const { draft, state } = own;
  const entry = { clientId: draft.clientId, streamId, userId: draft.authorId, draft, tab };
  if (state.kind === 'replicated') return undefined;
  if (state.kind !== 'accepted') return { ...entry, accepted: undefined };
  if (hasReplication === false || state.isFinal) return undefined;
  return { ...entry, accepted: { id: state.id, receipt: state.receipt } };
}

/**
 * What is to be dropped of the entries.
 *
 * @param serverNowMs drafts have the server's time, and this machine's clock may be wrong
 */
export function surplus(entries: readonly Entry[], serverNowMs: number): readonly Entry[] {
  const byAge = entries.toSorted((left, right) => right.draft.createdAtMs - left.draft.createdAtMs);
  return byAge.filter(({ draft }, index) => index >= mostEntries || serverNowMs - draft.createdAtMs > keptMs);
}

/** Whether nobody else sees to the entry: its tab was closed. @param open the tabs of this browser */
export const isLeftBehind = ({ tab }: Entry, open: ReadonlySet<string>): boolean =>
  tab === undefined || !open.has(tab);

/** The comment as the page takes it up again. */
export function restored(
  { draft, accepted }: Entry,
  { nowMs, serverNowMs }: { readonly nowMs: number; readonly serverNowMs: number },
): OwnComment {
  const own = ownComment(draft, nowMs);
  if (accepted !== undefined)
    return { ...own, state: { kind: 'accepted', ...accepted, sentAtMs: 0, isFinal: false } };
  if (isStillMeant(draft, serverNowMs)) return own;
  return { ...own, state: { kind: 'failed', problem: leftUnsent, retryAtMs: undefined } };
}

/** Undefined for what an older page has left behind in another form. */
export function readEntry(value: unknown): Entry | undefined {
  const draft = fieldOf(value, 'draft');
  const accepted = fieldOf(value, 'accepted');
  const clientId = textOf(value, 'clientId');
  const streamId = textOf(value, 'streamId');
  const userId = textOf(value, 'userId');
  const text = textOf(draft, 'text');
  const createdAtMs = numberOf(draft, 'createdAtMs');
  if (clientId === undefined || streamId === undefined || userId === undefined) return undefined;
  if (text === undefined || createdAtMs === undefined) return undefined;
  const id = textOf(accepted, 'id');
  return {
    clientId,
    streamId,
    userId,
    tab: textOf(value, 'tab'),
    draft: {
      clientId,
      authorId: userId,
      text,
      createdAtMs,
      parentId: textOf(draft, 'parentId'),
      mediaTime: numberOf(draft, 'mediaTime'),
    },
    accepted: id === undefined ? undefined : { id, receipt: textOf(accepted, 'receipt') },
  };
}
