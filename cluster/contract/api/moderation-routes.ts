/** The routes of moderation: bans, reports, what waits for a moderator, the audit, erasure. */
import { z } from 'zod';
import { StreamId, UserId } from '../../model/ids.ts';
import { commentActions } from '../audience/comment-actions.ts';
import { CommentParams } from './audience-params.ts';
import { Comment, HideBody } from './audience-views.ts';
import { StreamParams } from './control-routes.ts';
import { AuditPage, BanBody, BanPage, EraseBody, Erased, NewBan, ReportBody } from './moderation-views.ts';
import { wholeNumber } from './numbers.ts';
import type { Route } from './routes.ts';

export const BanParams = z.object({ id: StreamId, userId: UserId });
export type BanParams = z.infer<typeof BanParams>;
export const UserParams = z.object({ id: UserId });
export type UserParams = z.infer<typeof UserParams>;

const limit = wholeNumber(z.number().int().min(1).max(200)).default(50);

export const BanQuery = z.object({
  cursor: UserId.optional().meta({ description: 'The `nextCursor` of the page before.' }),
  limit,
});
export type BanQuery = z.infer<typeof BanQuery>;

export const AuditQuery = z.object({
  cursor: z.string().max(2000).optional().meta({ description: 'The `nextCursor` of the page before.' }),
  limit,
});
export type AuditQuery = z.infer<typeof AuditQuery>;

const common = { tag: 'audience', auth: 'viewer' } as const;
const ofUser = { ...common, path: '/v1/streams/{id}/bans/{userId}', params: BanParams } as const;
const ofComment = { ...common, method: 'post', params: CommentParams } as const;
const ofStream = { ...common, method: 'get', params: StreamParams } as const;
const always = ['FORBIDDEN', 'BANNED', 'TOO_MANY_COMMENTS', 'OVERLOADED'] as const;

export const moderationRoutes: readonly Route[] = [
  {
    ...ofStream,
    path: '/v1/streams/{id}/bans',
    operation: 'listBans',
    summary: 'Who may not take part in the comments of a stream, in the order of their ids: moderators',
    query: BanQuery,
    reply: { status: 200, schema: BanPage },
    errors: always,
    action: commentActions.bans,
  },
  {
    ...ofUser,
    method: 'put',
    operation: 'banUser',
    summary: 'Bans a user from the comments of a stream, or changes that: moderators',
    body: BanBody,
    reply: { status: 200, schema: NewBan },
    errors: always,
    action: commentActions.ban,
  },
  {
    ...ofUser,
    method: 'delete',
    operation: 'unbanUser',
    summary: 'Ends a ban: moderators',
    reply: { status: 204 },
    errors: always,
    action: commentActions.unban,
  },
  {
    ...ofComment,
    path: '/v1/comments/{id}/report',
    operation: 'reportComment',
    summary: 'Reports a comment; after three reports it waits for a moderator',
    body: ReportBody,
    reply: { status: 204 },
    errors: [...always, 'COMMENT_NOT_FOUND'],
    action: commentActions.report,
  },
  {
    ...ofComment,
    path: '/v1/comments/{id}/release',
    operation: 'releaseComment',
    summary: 'Shows a comment that waits for a moderator, and settles its reports: moderators',
    body: HideBody,
    reply: { status: 200, schema: Comment },
    errors: [...always, 'COMMENT_NOT_FOUND'],
    action: commentActions.release,
  },
  {
    ...ofStream,
    path: '/v1/streams/{id}/audit',
    operation: 'listAudit',
    summary: 'What moderators did on a stream, newest first: moderators',
    query: AuditQuery,
    reply: { status: 200, schema: AuditPage },
    errors: always,
    action: commentActions.audit,
  },
  {
    ...common,
    method: 'post',
    path: '/v1/users/{id}/erase',
    params: UserParams,
    operation: 'eraseUser',
    summary: 'Empties the name and the text of all that a user has written, for good: administrators',
    body: EraseBody,
    reply: { status: 200, schema: Erased },
    errors: always,
    action: commentActions.erase,
  },
];
