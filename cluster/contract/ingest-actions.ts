/** Actions of the ingest actor: they end publishers' sessions, on a drain, a stop, or when a stream is removed. */
import { z } from 'zod';
import { Epoch, SessionId, StreamId } from '../model/ids.ts';

export const ingestActions = {
  /** Of every ingest: a session must close (key rotated, stream deleted, superseded). */
  closeSessions: 'ingest.closeSessions',
  /** Of one node, for its drain: how many sessions it has; and each is closed at its next keyframe. */
  count: 'ingest.count',
  closeAtKeyframe: 'ingest.closeAtKeyframe',
  /** Of one node, for its stop: closes its publishers, and answers when they have brought what they have. */
  end: 'ingest.end',
  /** The first word: whoever has a twin elsewhere is closed, who understands it is asked to connect elsewhere. */
  askToLeave: 'ingest.askToLeave',
} as const;

export const CloseSessionsParams = z.object({
  streamId: StreamId,
  /** Only this one; all of the stream's when absent. */
  sessionId: SessionId.optional(),
  reason: z.string(),
  /** What the publisher is told; when absent that another has its place, or where all are closed that the key is unknown. */
  code: z.enum(['UNAVAILABLE', 'STREAM_REMOVED']).optional(),
  /** Of the owner that asks: sessions of a later one stay. Absent where it is an operator who asks. */
  epoch: Epoch.optional(),
});
export type CloseSessionsParams = z.infer<typeof CloseSessionsParams>;
