/**
 * What is known of a stream outside of its log: checkpoints in the store, and the edges that follow it (C5, C7).
 *
 * H1. A new owner asks before it takes over, for 300 ms at most; who does not answer is left out.
 * H2. Its epoch lies above every one that was named, and its numbers go on behind the furthest: a log that went back, or is
 *     gone, makes no number mean two things.
 * H3. What lies beyond the log is taken from an edge, which has all that viewers have seen, else from the newest checkpoint.
 */
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { Epoch, type NodeId, type StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import type { EdgeHead } from '../../../cluster/contract/edge-actions.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import { fromSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { archivePrefix, byAge, parseArchiveKey, type ArchiveName } from '../../segment-store/archive-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';

export interface HeadPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: SegmentStore;
  /** What the region's edges have folded of the stream; those that do not follow it say nothing. */
  readonly askEdges: (stream: StreamId) => Promise<readonly EdgeHead[]>;
  /** The fold of that edge, as a snapshot. @throws TangazaError */
  readonly askFold: (edge: NodeId, stream: StreamId) => Promise<unknown>;
}

export interface Heads {
  readonly epochs: readonly Epoch[];
  /** A fold that knows of more segments, or of a later period, than this log; undefined when there is none, or it cannot be had. */
  readonly beyond: (log: readonly IndexEntry[]) => Promise<Timeline | undefined>;
}

/** How long edges have to say what they have folded (C7). */
const askWithinMs = 300;
const readWithinMs = 5000;

/** Asks edges and the store what was known of the stream before it is taken over (H1). */
export async function headsOf(stream: StreamId, ports: HeadPorts): Promise<Heads> {
  const [edges, checkpoint] = await Promise.all([
    within(ports.clock, ports.askEdges(stream), []),
    within(ports.clock, newestCheckpoint(stream, ports), undefined),
  ]);
  const epochs = [...edges.map(({ epoch }) => epoch), checkpoint?.epoch].flatMap((epoch) => {
    const parsed = Epoch.safeParse(epoch);
    return parsed.success ? [parsed.data] : [];
  });
  const beyond = async (log: readonly IndexEntry[]): Promise<Timeline | undefined> => {
    const known = reachOf(log.reduce<Timeline>(applyEntry, emptyTimeline()));
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

async function read({ logger }: HeadPorts, ask: () => Promise<unknown>): Promise<Timeline | undefined> {
  try {
    return fromSnapshot(await ask());
  } catch (error) {
    logger.warn({ code: errorCodeOf(error) }, 'what lies beyond the log could not be read');
    return undefined;
  }
}

/** How far a fold goes: its segments, and then its periods, of which the last may have none yet. */
type Reach = Pick<EdgeHead, 'nextNumber' | 'period'>;

const reachOf = ({ nextNumber, periods }: Timeline): Reach => ({ nextNumber, period: periods.at(-1)?.id });

const isFurther = (one: Reach, than: Reach): boolean =>
  one.nextNumber === than.nextNumber
    ? (one.period ?? 0) > (than.period ?? 0)
    : one.nextNumber > than.nextNumber;

const isBeyond = (timeline: Timeline | undefined, known: Reach): timeline is Timeline =>
  timeline !== undefined && isFurther(reachOf(timeline), known);

/** What comes in time, and `otherwise` for what does not, or fails. */
async function within<T>(clock: Clock, work: Promise<T>, otherwise: T): Promise<T> {
  const over = new AbortController();
  const late = clock.sleep(askWithinMs, over.signal).then(
    () => otherwise,
    () => otherwise,
  );
  try {
    return await Promise.race([work.catch(() => otherwise), late]);
  } finally {
    over.abort();
  }
}
