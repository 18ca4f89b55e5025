/** The port by which an edge gets objects of other regions from their edges (R5). */
import type { StreamId } from '../../../cluster/model/ids.ts';

export interface EdgeAsked {
  /** Of the edge that is asked. */
  readonly httpUrl: string;
  /** The edge begins to send. */
  readonly onBegin?: () => void;
}

export interface ObjectAsked extends EdgeAsked {
  readonly key: string;
  readonly mostBytes: number;
}

export interface PictureAsked extends EdgeAsked {
  readonly stream: StreamId;
  readonly mostBytes: number;
}

export interface ArchivesAsked extends EdgeAsked {
  readonly stream: StreamId;
}

export interface FetchAcross {
  /**
   * @throws TangazaError `SEGMENT_NOT_FOUND` where the edge says that its region does not have it; `OVERLOADED` or `UNAVAILABLE` with what
   *   it says where it refuses, or sends more than `mostBytes`; any other error where it does not answer
   */
  object(asked: ObjectAsked, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * The newest picture of a stream as JPEG, as viewers get it.
   *
   * @throws TangazaError `NOT_FOUND` where the edge says that it has none, `STREAM_NOT_LIVE` where nothing can be played yet; else as `object`
   */
  picture(asked: PictureAsked, signal: AbortSignal): Promise<Uint8Array>;
  /** The keys of a stream's archives. @throws as `object` */
  archives(asked: ArchivesAsked, signal: AbortSignal): Promise<readonly string[]>;
}
