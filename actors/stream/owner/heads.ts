/**
 * Asks what is known of a stream outside of its log, before a new owner takes it over (C5, C7).
 *
 * Checkpoints in the segment store and the edges that follow the stream may know more than a log that went back. The
 * new owner's epoch lies above every epoch that they name, and its numbers go on behind the furthest. So no number ever
 * means two things, even when the log went back or is gone. What lies beyond the log is taken from an edge, which has
 * all that viewers have seen; without such an edge from the newest checkpoint.
 *
 * H1. The new owner asks all at once and waits 300 ms at most. It goes on without those that have not answered.
 */
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { Epoch, type NodeId, type StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import type { EdgeHead } from '../../../cluster/contract/edge-actions.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import { fromSnapshot } from '../../media/timeline/snapshot.ts';
import type { FoldedTimeline, Timeline } from '../../media/timeline/timeline.ts';
import { archivePrefix, byAge, parseArchiveKey, type ArchiveName } from '../../segment-store/archive-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';

export interface HeadPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: SegmentStore;
  /** What the region's edges have folded of the stream. Edges that do not follow it say nothing. */
  readonly askEdges: (stream: StreamId) => Promise<readonly EdgeHead[]>;
  /** The fold of one edge, as a snapshot. @throws TangazaError */
  readonly askFold: (edge: NodeId, stream: StreamId) => Promise<unknown>;
}

export interface Heads {
  readonly epochs: readonly Epoch[];
  /** A fold with more segments or a later period than this log; undefined when there is none or it cannot be read. */
  readonly beyond: (log: readonly IndexEntry[]) => Promise<FoldedTimeline | undefined>;
}

/** How long edges and the store have to answer (H1, C7). */
const askWithinMs = 300;
const readWithinMs = 5000;

/** Asks edges and the store what they know of the stream, before it is taken over (H1). */
export async function headsOf(stream: StreamId, ports: HeadPorts, withinMs = askWithinMs): Promise<Heads> {
  const bound = { clock: ports.clock, ms: withinMs };
  const [edges, checkpoint] = await Promise.all([
    unlessLate(bound, ports.askEdges(stream), []),
    unlessLate(bound, newestCheckpoint(stream, ports), undefined),
  ]);
  const epochs = [...edges.map(({ epoch }) => epoch), checkpoint?.epoch].flatMap((epoch) => {
    const parsed = Epoch.safeParse(epoch);
    return parsed.success ? [parsed.data] : [];
  });
  const beyond = async (log: readonly IndexEntry[]): Promise<FoldedTimeline | undefined> => {
    const known = reachOf(log.reduce<FoldedTimeline>(applyEntry, emptyTimeline()));
    const further = edges
      .filter((one) => isFurther(one, known) && one.nextNumber >= (checkpoint?.nextNumber ?? 0))
      .toSorted((a, b) => (isFurther(a, b) ? -1 : 1));
    for (const { node } of further) {
      const fromEdge = await read(ports, () => ports.askFold(node, stream));
      if (isBeyond(fromEdge, known)) return fromEdge;
    }
    if (checkpoint === undefined || checkpoint.nextNumber <= known.nextNumber) return undefined;
    const stored = await read(ports, async () => {
      using late = abortAfter(ports.clock, readWithinMs);
      const body = await ports.store.get(checkpoint.key, late.signal);
      return JSON.parse(Buffer.from(body).toString());
    });
    return isBeyond(stored, known) ? stored : undefined;
  };
  return { epochs, beyond };
}

async function newestCheckpoint(
  stream: StreamId,
  { store, clock }: HeadPorts,
): Promise<ArchiveName | undefined> {
  const names: ArchiveName[] = [];
  using late = abortAfter(clock, readWithinMs);
  for await (const { key } of store.list(archivePrefix(stream), late.signal)) {
    const name = parseArchiveKey(key);
    if (name !== undefined) names.push(name);
  }
  return names.toSorted(byAge).at(-1);
}

async function read({ logger }: HeadPorts, ask: () => Promise<unknown>): Promise<FoldedTimeline | undefined> {
  try {
    return fromSnapshot(await ask());
  } catch (error) {
    logger.warn({ code: errorCodeOf(error) }, 'could not read a fold that goes beyond the log');
    return undefined;
  }
}

/** How far a fold reaches: first by segments, then by periods, because its last period may have no segment yet. */
type Reach = Pick<EdgeHead, 'nextNumber' | 'period'>;

const reachOf = ({ nextNumber, periods }: Timeline): Reach => ({ nextNumber, period: periods.at(-1)?.id });

const isFurther = (one: Reach, than: Reach): boolean =>
  one.nextNumber === than.nextNumber
    ? (one.period ?? 0) > (than.period ?? 0)
    : one.nextNumber > than.nextNumber;

const isBeyond = (timeline: FoldedTimeline | undefined, known: Reach): timeline is FoldedTimeline =>
  timeline !== undefined && isFurther(reachOf(timeline), known);

/** Gives the result of `work`, or `otherwise` when it fails or is late. */
function unlessLate<T>(
  bound: { readonly clock: Clock; readonly ms: number },
  work: Promise<T>,
  otherwise: T,
): Promise<T> {
  const late = (): T => otherwise;
  return within(work.catch(late), { ...bound, late });
}
