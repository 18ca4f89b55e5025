/** The port by which an edge gets objects of other regions from their edges (R5). */
import type { StreamId } from '../../../cluster/model/ids.ts';

export interface ObjectAsked {
  /** Of the edge that is asked. */
  readonly httpUrl: string;
  readonly key: string;
  readonly mostBytes: number;
  /** The edge begins to send the object. */
  readonly onBegin?: () => void;
}

export interface FetchAcross {
  /**
   * @throws TangazaError `SEGMENT_NOT_FOUND` where the edge says that its region does not have it; `UNAVAILABLE` with what it says where it
   *   refuses, or sends more than `mostBytes`; any other error where it does not answer
   */
  object(asked: ObjectAsked, signal: AbortSignal): Promise<Uint8Array>;
  /** The newest picture of a stream as JPEG, as viewers get it. @throws any error where the edge does not answer well, or sends more than `mostBytes` */
  picture(httpUrl: string, stream: StreamId, mostBytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** The keys of a stream's archives. @throws any error where the edge does not answer well */
  archives(httpUrl: string, stream: StreamId, signal: AbortSignal): Promise<readonly string[]>;
}
