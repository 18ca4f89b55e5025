/** The routes of the audience: comments and how a stream takes them, and the tokens of guests. */
import { z } from 'zod';
import { CommentId } from '../../model/ids.ts';
import { commentActions } from '../audience/comment-actions.ts';
import {
  CommentMode,
  CommentPage,
  CreateGuestBody,
  Comment,
  Guest,
  HideBody,
  Identity,
  OwnComment,
  PostCommentBody,
  Thread,
} from './audience-views.ts';
import { CommentParams } from './audience-params.ts';
import { StreamParams } from './control-routes.ts';
import { moderationRoutes } from './moderation-routes.ts';
import { wholeNumber } from './numbers.ts';
import type { Route } from './routes.ts';

const place = z.union([CommentId, z.iso.datetime()]).optional();

const limit = wholeNumber(z.number().int().min(1).max(200)).default(50);
const mine = z
  .enum(['true', 'false'])
  .default('false')
  .meta({ description: '`true` tells which of them the caller likes; it wants a token.' });

export const ThreadPageQuery = z.object({
  parentId: CommentId.optional().meta({ description: 'Only what answers that comment directly.' }),
  cursor: z.string().max(400).optional().meta({ description: 'The `nextCursor` of the page before.' }),
  limit,
  mine,
});
export type ThreadPageQuery = z.infer<typeof ThreadPageQuery>;

export const CommentQuery = z.object({
  before: place.meta({
    description: 'The id of a comment, or a time: what was written before it, newest first.',
  }),
  after: place.meta({
    description: 'The id of a comment, or a time: what was written after it, oldest first.',
  }),
  state: z.enum(['held', 'reported', 'hidden']).optional().meta({
    description: 'Only those that wait for a moderator, were reported, or are hidden: for moderators.',
  }),
  limit,
  mine,
});
export type CommentQuery = z.infer<typeof CommentQuery>;

export const LikeQuery = z.object({
  at: z.iso.datetime().optional().meta({
    description:
      'When the viewer did so, within 5 s of the time of the server; by default now. Of two acts of one viewer the later one counts, whenever each arrives.',
  }),
});
export type LikeQuery = z.infer<typeof LikeQuery>;

const ofStream = { tag: 'audience', path: '/v1/streams/{id}/comments', params: StreamParams } as const;
const ofComment = { tag: 'audience', path: '/v1/comments/{id}', params: CommentParams } as const;
const ofMode = { tag: 'audience', path: '/v1/streams/{id}/mode', params: StreamParams } as const;
const ofLike = {
  ...ofComment,
  path: '/v1/comments/{id}/like',
  query: LikeQuery,
  auth: 'viewer',
  reply: { status: 204 },
  errors: ['FORBIDDEN', 'BANNED', 'COMMENT_NOT_FOUND', 'COMMENT_EXPIRED', 'TOO_MANY_COMMENTS', 'OVERLOADED'],
} as const;
const guards = [
  'TOO_MANY_COMMENTS',
  'BANNED',
  'ACCOUNT_NEEDED',
  'COMMENTS_CLOSED',
  'SLOW_MODE',
  'DUPLICATE_TEXT',
  'TEXT_REFUSED',
] as const;
const unknown = ['STREAM_NOT_FOUND', 'STREAM_REMOVED'] as const;

export const audienceRoutes: readonly Route[] = [
  {
    ...ofStream,
    method: 'post',
    operation: 'postComment',
    auth: 'viewer',
    summary: 'Comments on a stream; sent again with the same clientId it is still one comment',
    body: PostCommentBody,
    reply: { status: 201, schema: OwnComment },
    errors: [
      ...unknown,
      ...guards,
      'FORBIDDEN',
      'COMMENT_EXPIRED',
      'COMMENT_NOT_FOUND',
      'CONFLICT',
      'PARENT_NOT_HERE',
      'OVERLOADED',
      'STORE_FULL',
    ],
    action: commentActions.post,
  },
  {
    ...ofStream,
    method: 'get',
    operation: 'listComments',
    auth: 'none',
    summary: 'The comments of a stream: newest first, or from a place on, oldest first',
    query: CommentQuery,
    reply: { status: 200, schema: CommentPage },
    errors: [...unknown, 'UNAUTHENTICATED', 'FORBIDDEN', 'BANNED', 'OVERLOADED'],
    action: commentActions.list,
  },
  {
    ...ofComment,
    method: 'delete',
    operation: 'hideComment',
    auth: 'viewer',
    summary: 'Hides a comment: its author, or a moderator',
    reply: { status: 200, schema: Comment },
    errors: ['FORBIDDEN', 'COMMENT_NOT_FOUND', 'TOO_MANY_COMMENTS', 'OVERLOADED'],
    action: commentActions.hide,
  },
  {
    ...ofComment,
    path: '/v1/comments/{id}/restore',
    method: 'post',
    operation: 'restoreComment',
    auth: 'viewer',
    summary: 'Shows a hidden comment again: who hid it, or a moderator',
    body: HideBody,
    reply: { status: 200, schema: Comment },
    errors: ['FORBIDDEN', 'BANNED', 'COMMENT_NOT_FOUND', 'TOO_MANY_COMMENTS', 'OVERLOADED'],
    action: commentActions.restore,
  },
  {
    ...ofComment,
    path: '/v1/comments/{id}/thread',
    method: 'get',
    operation: 'getThread',
    auth: 'none',
    summary: 'The answers of a thread, level by level, the oldest first; each names its parent and its depth',
    query: ThreadPageQuery,
    reply: { status: 200, schema: Thread },
    errors: ['COMMENT_NOT_FOUND', 'UNAUTHENTICATED', 'OVERLOADED'],
    action: commentActions.thread,
  },
  {
    ...ofLike,
    method: 'put',
    operation: 'likeComment',
    summary: 'Likes a comment; the count follows within two seconds',
    action: commentActions.like,
  },
  {
    ...ofLike,
    method: 'delete',
    operation: 'unlikeComment',
    summary: 'Takes a like back',
    action: commentActions.unlike,
  },
  {
    tag: 'audience',
    method: 'post',
    path: '/v1/guests',
    operation: 'createGuest',
    auth: 'none',
    summary: 'A token to comment with, without signing up',
    body: CreateGuestBody,
    reply: { status: 201, schema: Guest },
    errors: ['TOO_MANY_COMMENTS', 'TEXT_REFUSED'],
    action: commentActions.guest,
  },
  {
    tag: 'audience',
    method: 'get',
    path: '/v1/me',
    operation: 'whoAmI',
    auth: 'viewer',
    summary: 'Who the token stands for, and what they may do',
    reply: { status: 200, schema: Identity },
    errors: [],
    action: commentActions.identify,
  },
  {
    ...ofMode,
    method: 'get',
    operation: 'getMode',
    auth: 'none',
    summary: 'Who may comment on a stream, and how often',
    reply: { status: 200, schema: CommentMode },
    errors: [...unknown, 'OVERLOADED'],
    action: commentActions.mode,
  },
  {
    ...ofMode,
    method: 'put',
    operation: 'setMode',
    auth: 'viewer',
    summary: 'Changes who may comment on a stream, and how often: moderators',
    body: CommentMode,
    reply: { status: 200, schema: CommentMode },
    errors: [...unknown, 'FORBIDDEN', 'BANNED', 'TOO_MANY_COMMENTS', 'OVERLOADED'],
    action: commentActions.setMode,
  },
  ...moderationRoutes,
];
