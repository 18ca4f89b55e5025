/** The audience as the API shows it: comments, who wrote them, how a stream takes them; and the bodies of requests. */
import { z } from 'zod';
import { ClientId, CommentId, RegionId, StreamId, UserId } from '../../model/ids.ts';
import { mustBe } from '../../errors/input-sentences.ts';

/** A body may be longer than the text that remains of it once control characters and blanks around it are gone (A1). */
const text = z.string().max(4000).meta({
  description:
    'What is said: 1 to 500 characters, at most 2,000 bytes in UTF-8. Stored as it was said; pages escape it.',
});

export const userName = z
  .string()
  .trim()
  .min(1)
  .max(40)
  .meta({ description: 'What others see: 1 to 40 characters.' });

export const User = z
  .object({ id: UserId, name: userName, kind: z.enum(['guest', 'account']) })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;

/** How far a comment is safe: `accepted` by the region's database, `replicated` where another region has it too (A6). */
export const Acknowledged = z.enum(['accepted', 'replicated']);
export type Acknowledged = z.infer<typeof Acknowledged>;

export const Comment = z
  .object({
    id: CommentId,
    streamId: StreamId,
    author: z.object({ id: UserId, name: z.string(), isStaff: z.boolean().optional() }),
    text: z
      .string()
      .meta({ description: 'Empty where the comment is hidden and the caller may not see it.' }),
    createdAt: z.iso.datetime(),
    mediaTime: z
      .number()
      .nonnegative()
      .optional()
      .meta({ description: 'Where its author was in the stream, in seconds.' }),
    parentId: CommentId.optional(),
    rootId: CommentId.optional().meta({
      description: 'The comment that its thread begins with; absent for that one itself.',
    }),
    depth: z.number().int().nonnegative().optional(),
    replies: z
      .number()
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'How many answers are known below it.' }),
    likes: z.number().int().nonnegative(),
    likedByMe: z.boolean().optional().meta({ description: 'With `mine=true` alone.' }),
    hidden: z.boolean(),
    isHeld: z
      .boolean()
      .optional()
      .meta({ description: 'It waits for a moderator; only they and its author see it.' }),
    reports: z
      .number()
      .int()
      .positive()
      .optional()
      .meta({ description: 'How many reported it since it was released; for moderators.' }),
    region: RegionId,
    acknowledged: Acknowledged.meta({
      description:
        '`replicated` where this region knows that another one has it as well; `accepted` where it has only this one, or does not know.',
    }),
  })
  .meta({ id: 'Comment' });
export type Comment = z.infer<typeof Comment>;

export const CommentCounts = z
  .object({
    id: CommentId,
    likes: z.number().int().nonnegative(),
    replies: z.number().int().nonnegative(),
  })
  .meta({ id: 'CommentCounts' });
export type CommentCounts = z.infer<typeof CommentCounts>;

/** The answer to its author alone: with it, the same comment passes every guard for a day (A6). */
export const OwnComment = Comment.extend({ clientId: ClientId, receipt: z.string() }).meta({
  id: 'OwnComment',
});
export type OwnComment = z.infer<typeof OwnComment>;

export const PostCommentBody = z
  .strictObject({
    text,
    clientId: ClientId.meta({
      description:
        'Made when the comment is written, with the time of the server. The same one from the same author is the same comment.',
    }),
    parentId: CommentId.optional().meta({ description: 'The comment that this one answers.' }),
    mediaTime: z.number().nonnegative().max(1e9).optional(),
    receipt: z.string().max(2000).optional().meta({
      description:
        'The `receipt` of an earlier answer: the comment is sent again, as long as it is not known to be `replicated`; to any region.',
    }),
  })
  .meta({ id: 'PostComment' });
export type PostCommentBody = z.infer<typeof PostCommentBody>;

export const CommentPage = z
  .object({
    items: z.array(Comment),
    nextCursor: z
      .string()
      .optional()
      .meta({ description: 'Passed as `before` (or `after`, when the page was asked so).' }),
    replication: z.boolean().optional().meta({
      description:
        'True where another region keeps copies: who wrote a comment may wait for it to be `replicated`.',
    }),
    knownTo: z.iso.datetime().optional().meta({
      description:
        'Where it is there, this region lacks what was accepted in another one since then. Once it is gone, what was said there may stand between comments that were read before.',
    }),
  })
  .meta({ id: 'CommentPage' });
export type CommentPage = z.infer<typeof CommentPage>;

export const Thread = CommentPage.omit({ replication: true, knownTo: true })
  .extend({
    root: Comment.meta({ description: 'The comment that the thread begins with.' }),
  })
  .meta({ id: 'Thread' });
export type Thread = z.infer<typeof Thread>;

export const HideBody = z
  .strictObject({ reason: z.string().trim().max(500).optional() })
  .meta({ id: 'HideComment' });
export type HideBody = z.infer<typeof HideBody>;

export const CreateGuestBody = z.strictObject({ name: userName }).meta({ id: 'CreateGuest' });
export type CreateGuestBody = z.infer<typeof CreateGuestBody>;

export const Guest = z
  .object({
    token: z
      .string()
      .meta({ description: 'Good for 30 days. A page keeps it; no cookie authorises anything.' }),
    user: User,
  })
  .meta({ id: 'Guest' });
export type Guest = z.infer<typeof Guest>;

/** What somebody may do beside writing; gathered in roles (A12). */
export const Permission = z.enum([
  'comment.hide',
  'comment.release',
  'user.ban',
  'user.erase',
  'stream.mode',
  'audit.read',
]);
export type Permission = z.infer<typeof Permission>;

/** Who a token stands for. */
export const Identity = z
  .object({
    user: User,
    permissions: z.array(Permission),
    stream: StreamId.optional().meta({ description: 'The only stream that the token is for.' }),
    expiresAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Identity' });
export type Identity = z.infer<typeof Identity>;

export const CommentMode = z
  .strictObject({
    mode: z
      .enum(['open', 'accounts', 'closed'])
      .meta({ description: 'Who may comment: everybody, accounts alone, nobody.' }),
    slowSeconds: z
      .number()
      .int()
      .min(0)
      .max(3600, mustBe('at most 3600 seconds'))
      .meta({ description: 'How long an author waits between two comments; 0 for no wait.' }),
  })
  .meta({ id: 'CommentMode' });
export type CommentMode = z.infer<typeof CommentMode>;
export const openMode: CommentMode = { mode: 'open', slowSeconds: 0 };
