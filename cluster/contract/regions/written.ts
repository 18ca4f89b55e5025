/** What a region tells the others that share its database: which comments it has just written, so that they look for them at once (A7). */
import { z } from 'zod';
import { CommentId } from '../../model/ids.ts';
import type { RegionEvent } from './crossing.ts';

/** In one event. */
export const mostWritten = 100;

const Written = z.object({
  id: CommentId,
  /** The time of its last change, as its row has it. */
  changedAtMs: z.number().nonnegative(),
});
export type Written = z.infer<typeof Written>;

const WrittenComments = z.object({ comments: z.array(Written).min(1).max(mostWritten) });

/** Of the stream that the event concerns. */
export const commentsWritten: RegionEvent<z.infer<typeof WrittenComments>> = {
  name: 'comments-written',
  event: WrittenComments,
  maxBytes: 20_000,
  perSecond: 1000,
};
