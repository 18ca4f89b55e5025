/** Actions of the ingest actor: publishers' sessions are ended, for instance when their stream is removed. A drain asks its own (hand-over.ts). */
import { z } from 'zod';
import { Epoch, SessionId, StreamId } from '../model/ids.ts';

export const ingestActions = {
  /** Called on every ingest: a session must close, as its key was rotated, its stream was deleted or another session supersedes it. */
  closeSessions: 'ingest.closeSessions',
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
