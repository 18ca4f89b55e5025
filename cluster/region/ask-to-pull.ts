/**
 * Asks an edge of this region to fetch an object from another region, so that each object crosses once (R5).
 *
 * All who lack the object ask the same edge: the first in rendezvous order of the object's name. It says at once whether it has begun. An edge
 * that does not say so within 300 ms may be frozen or dead, and the next one is asked. That may fetch the object a second time, which is
 * harmless: a store takes it once. An edge that says that it has too much to do is not silent: no other one is asked.
 *
 * Bounds: the wait of the caller, and how many edges are asked.
 */
import {
  longestPullWaitMs,
  type PulledObject,
  type PullParams,
  type PullState,
} from '../contract/edge-actions.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import type { NodeId } from '../model/ids.ts';
import type { Metrics } from '../observe/metrics.ts';
import { head } from '../partition/rendezvous.ts';
import type { Clock } from '../time/clock.ts';

/** One edge of this region. */
interface PullingEdge {
  readonly id: NodeId;
  readonly weight: number;
}

export interface PullPorts {
  readonly clock: Pick<Clock, 'runningMs'>;
  /** The edges of this region that are alive and do not leave. */
  readonly edges: () => readonly PullingEdge[];
  /** @throws TangazaError where the edge does not answer within that time */
  readonly askToPull: (edge: NodeId, params: PullParams, withinMs: number) => Promise<PullState>;
  /** An edge did not answer in time, so that another one is asked. */
  readonly onSilent: () => void;
}

/** Counts edges that do not answer: each may cost an object a second crossing. */
export function silentEdges(metrics: Metrics): () => void {
  const silent = metrics.counter({
    name: 'tangaza_crossing_silent_edges_total',
    help: 'Edges of this region that did not say within 300 ms that they fetch an object, so that another one was asked: it may have crossed twice.',
  });
  return () => silent.add(1);
}

/** What became of a pull, and the edge that knows. */
export interface Pulled {
  readonly state: PullState;
  readonly edge: NodeId;
}

const beginsWithinMs = 300;
/** An object that comes within this time costs one call. */
const firstWaitMs = 20;
/** How long a call may take beyond the time that the edge was told to wait. */
const onTheWayMs = 500;
const maxEdges = 3;

/** Names the object, the same for all who ask. */
export function nameOfPulled({ streamId, period, rendition, media }: PulledObject): string {
  return `${streamId}/${period}/${rendition}/${media.startTime ?? 'init'}-${media.sha256}`;
}

/**
 * Waits until the object lies in this region's store, or the edge says why not.
 *
 * @returns `underWay` where that takes longer than `withinMs`
 * @throws TangazaError `UNAVAILABLE` where no edge of this region answers, `OVERLOADED` where the one that is asked has too much to do
 */
export async function pullOnce(ports: PullPorts, object: PulledObject, withinMs: number): Promise<Pulled> {
  const untilMs = ports.clock.runningMs() + withinMs;
  for (const { id } of head(nameOfPulled(object), ports.edges(), maxEdges)) {
    const state = await pullAt(ports, id, object, untilMs);
    if (state !== undefined) return { state, edge: id };
    ports.onSilent();
  }
  throw new TangazaError('UNAVAILABLE', 'No edge of this region answers that could fetch the object.');
}

/** Undefined where the edge does not answer. */
async function pullAt(
  { clock, askToPull }: PullPorts,
  edge: NodeId,
  object: PulledObject,
  untilMs: number,
): Promise<PullState | undefined> {
  try {
    let state = await askToPull(edge, { ...object, waitMs: firstWaitMs }, beginsWithinMs);
    for (;;) {
      const leftMs = untilMs - clock.runningMs();
      if (state !== 'underWay' || leftMs <= 0) return state;
      const waitMs = Math.ceil(Math.min(leftMs, longestPullWaitMs));
      state = await askToPull(edge, { ...object, waitMs }, waitMs + onTheWayMs);
    }
  } catch (error) {
    if (errorCodeOf(error) === 'OVERLOADED') throw error;
    return undefined;
  }
}
