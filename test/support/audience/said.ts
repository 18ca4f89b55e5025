/** Comments and other messages as a feed tells them, made by hand. */
import { Comment, type Identity } from '../../../cluster/contract/api/audience-views.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { ClientId, StreamId, UserId } from '../../../cluster/model/ids.ts';

export const demo = StreamId.parse('demo');
const beganMs = Date.parse('2026-11-30T10:00:00Z');

/** The n-th comment of a stream; a later one has a greater id. */
export function commentOf(number: number, { stream = demo, text = `comment ${number}` } = {}): Comment {
  const atMs = beganMs + number;
  const written = atMs.toString(32).padStart(10, '0');
  return Comment.parse({
    id: `${stream}~${written}${String(number).padStart(16, '0')}`,
    streamId: stream,
    author: { id: 'g-ada', name: 'Ada' },
    text,
    createdAt: new Date(atMs).toISOString(),
    likes: 0,
    hidden: false,
    region: 'eu',
    acknowledged: 'accepted',
  });
}

export const added = (comment: Comment): ServerMessage => ({ type: 'comment', comment });

/** The same comment, hidden. */
export const hidden = (comment: Comment): ServerMessage => ({
  type: 'commentUpdated',
  comment: { ...comment, text: '', hidden: true },
});

/** A client's id of a comment: a UUIDv7. */
export const clientIdOf = (number: number): ClientId =>
  ClientId.parse(`0193b3a0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`);

export const ada: Identity = {
  user: { id: UserId.parse('g-ada'), name: 'Ada', kind: 'guest' },
  permissions: [],
};
