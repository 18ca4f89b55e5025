/** Actions of the ingest actor. They end the sessions of publishers: on a drain, on a stop, or when a stream is removed. */
import { z } from 'zod';
import { Epoch, SessionId, StreamId } from '../model/ids.ts';

export const ingestActions = {
  /** Called on every ingest: a session must close, as its key was rotated, its stream was deleted or another session supersedes it. */
  closeSessions: 'ingest.closeSessions',
  /** Called on one node during its drain: `count` answers how many sessions it has, `closeAtKeyframe` closes each at its next keyframe. */
  count: 'ingest.count',
  closeAtKeyframe: 'ingest.closeAtKeyframe',
  /** Called on one node when it stops: closes its publishers, and answers when all that they sent was handed on. */
  end: 'ingest.end',
  /**
   * The first step of a drain: closes every session that has a twin elsewhere, and asks encoders that understand it to connect elsewhere.
   */
  askToLeave: 'ingest.askToLeave',
} as const;

export const CloseSessionsParams = z.object({
  streamId: StreamId,
  /** Closes this session only. Absent: all sessions of the stream. */
  sessionId: SessionId.optional(),
  reason: z.string(),
  /** What the publisher is told. Absent: that another publisher has its place, or that the key is unknown where all sessions are closed. */
  code: z.enum(['UNAVAILABLE', 'STREAM_REMOVED']).optional(),
  /** The epoch of the owner that asks: sessions attached under a later epoch stay. Absent where an operator asks. */
  epoch: Epoch.optional(),
});
export type CloseSessionsParams = z.infer<typeof CloseSessionsParams>;
