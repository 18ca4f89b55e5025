/**
 * Brings an object that this region's store lacks, for a viewer who waits (R5): one edge of this region fetches it, then it is read from the
 * store, or from that edge where the store does not take it.
 */
import type { PulledObject } from '../../../cluster/contract/edge-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { NodeId } from '../../../cluster/model/ids.ts';
import { pullOnce, type PullPorts } from '../../../cluster/region/ask-to-pull.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import type { FetchAcross } from './fetch-across.ts';
import { keyOfPulled } from './puller.ts';

export interface BringPorts extends Omit<PullPorts, 'clock'> {
  readonly clock: Clock;
  readonly store: Pick<SegmentStore, 'get'>;
  /** An object that this edge fetched and that the store did not take. */
  readonly unstored: (key: string) => Uint8Array | undefined;
  /** The base URL of an edge of this region. */
  readonly urlOf: (edge: NodeId) => string | undefined;
  readonly fetchAcross: Pick<FetchAcross, 'object'>;
}

const bringMs = 9000;

/** @throws TangazaError `SEGMENT_NOT_FOUND` where no region has it, `UNAVAILABLE` where that cannot be known now; those of the store */
export async function bring(ports: BringPorts, object: PulledObject): Promise<Uint8Array> {
  const { state, edge } = await pullOnce(ports, object, bringMs);
  using late = abortAfter(ports.clock, bringMs);
  switch (state) {
    case 'stored':
      return await ports.store.get(keyOfPulled(object), late.signal);
    case 'unstored':
      return await fromEdge(ports, edge, object, late.signal);
    case 'notFound':
      throw new TangazaError('SEGMENT_NOT_FOUND', 'No region has this object.');
    case 'underWay':
    case 'unreachable':
      throw new TangazaError('UNAVAILABLE', 'This object lies in another region, which does not answer now.');
    default:
      return unreachable(state);
  }
}

async function fromEdge(
  { unstored, urlOf, fetchAcross }: BringPorts,
  edge: NodeId,
  object: PulledObject,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const key = keyOfPulled(object);
  const url = urlOf(edge);
  const body = unstored(key);
  if (body !== undefined) return body;
  if (url === undefined) throw new TangazaError('UNAVAILABLE', 'The edge that has this object has left.');
  return fetchAcross.object({ httpUrl: url, key, mostBytes: object.media.bytes }, signal);
}
