/** What the paths of the audience's routes name. */
import { z } from 'zod';
import { CommentId } from '../../model/ids.ts';

export const CommentParams = z.object({ id: CommentId });
export type CommentParams = z.infer<typeof CommentParams>;
