/**
 * Joins what two regions know of one stream (R12). Whatever the order in which what regions know is joined, and however often: the same
 * comes out, so that all regions have the same in the end.
 *
 * What is known of an id climbs: made, removed, made anew after that removal, removed again. The higher step wins, so a removal wins over all
 * that did not know of it. Of two streams on one step the one that was made earlier stays, and nothing of the other one. Of one stream, the
 * value that was written last stays, field by field. There is one key at a time, so one that was replaced is good nowhere again.
 */
import type { RegistryChange, StreamState } from '../../../cluster/contract/regions/registry.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** Both are of one id. */
export function joined(one: RegistryChange, other: RegistryChange): RegistryChange {
  const isFirst = isAbove(one, other);
  const [above, below] = isFirst ? [one, other] : [other, one];
  return above.kind === 'stream' && below.kind === 'stream' && isSameStream(above, below)
    ? joinedFields(above, below)
    : above;
}

/**
 * Of two streams that were made under one id, where neither region knew of the other one: the one that does not stay. Nobody took it away, so
 * people have to be told.
 */
export function loserOf(one: RegistryChange, other: RegistryChange): StreamState | undefined {
  if (one.kind !== 'stream' || other.kind !== 'stream') return undefined;
  const isOneStep = one.afterRemovalMs === other.afterRemovalMs;
  if (!isOneStep || isSameStream(one, other) || one.key.hash === other.key.hash) return undefined;
  return isAbove(one, other) ? other : one;
}

/**
 * Refuses an answer with a value of a time far ahead: it would win over all others until then.
 *
 * @param nowMs by the clock that all regions go by
 * @throws TangazaError `BAD_REQUEST`
 */
export function mustBeFromNow(changes: readonly RegistryChange[], nowMs: number): void {
  const wrong = changes.find((change) => latestOf(change) > nowMs + mostAheadMs);
  if (wrong === undefined) return;
  const when = new Date(latestOf(wrong)).toISOString();
  throw new TangazaError(
    'BAD_REQUEST',
    `The stream ${wrong.id} was changed at ${when}, which is far ahead: set the clocks of both regions right.`,
  );
}

function latestOf(change: RegistryChange): number {
  if (change.kind === 'removed') return change.atMs;
  const { afterRemovalMs, created, title, ladder, key, updatedAtMs } = change;
  return Math.max(afterRemovalMs, created.atMs, title.atMs, ladder.atMs, key.atMs, updatedAtMs);
}

const mostAheadMs = 600_000;

function joinedFields(one: StreamState, other: StreamState): StreamState {
  const isOneKey = isLater([one.key.atMs, one.key.hash], [other.key.atMs, other.key.hash]);
  return {
    ...one,
    title: laterOf(one.title, other.title),
    ladder: laterOf(one.ladder, other.ladder),
    key: isOneKey ? one.key : other.key,
    updatedAtMs: Math.max(one.updatedAtMs, other.updatedAtMs),
  };
}

const isSameStream = (one: StreamState, other: StreamState): boolean =>
  one.afterRemovalMs === other.afterRemovalMs &&
  one.created.atMs === other.created.atMs &&
  one.created.keyHash === other.created.keyHash;

/** Whether the one's step is the higher one, or both are on one step and the one is to stay. */
function isAbove(one: RegistryChange, other: RegistryChange): boolean {
  const [step, otherStep] = [stepOf(one), stepOf(other)];
  if (step.afterMs !== otherStep.afterMs) return step.afterMs > otherStep.afterMs;
  if (step.isMade !== otherStep.isMade) return step.isMade;
  if (one.kind === 'stream' && other.kind === 'stream')
    return !isLater([one.created.atMs, one.created.keyHash], [other.created.atMs, other.created.keyHash]);
  return keyOf(one) <= keyOf(other);
}

const stepOf = (one: RegistryChange) =>
  one.kind === 'stream'
    ? { afterMs: one.afterRemovalMs, isMade: true }
    : { afterMs: one.atMs, isMade: false };

const keyOf = (one: RegistryChange): string => (one.kind === 'stream' ? one.created.keyHash : one.keyHash);

interface Value {
  readonly value: string;
  readonly atMs: number;
}

const laterOf = (one: Value, other: Value): Value =>
  isLater([one.atMs, one.value], [other.atMs, other.value]) ? one : other;

/** By time, and of two of one time by the text: the same one everywhere. */
const isLater = ([atMs, text]: readonly [number, string], [otherMs, otherText]: readonly [number, string]) =>
  atMs > otherMs || (atMs === otherMs && text > otherText);
