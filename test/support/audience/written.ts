/** Comments as tests write them: ids with the time that they are given, rows, and who wrote them. */
import { commentIdOf } from '../../../actors/comments/ids/comment-id.ts';
import type { StoredComment } from '../../../actors/comments/store/comment-store.ts';
import type { Identity, Permission } from '../../../cluster/contract/api/audience-views.ts';
import { ClientId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';

export const news = StreamId.parse('news');
export const ada = UserId.parse('g-ada');
export const bob = UserId.parse('g-bob');

/** A UUID of version 7 of that time; `serial` tells those of one millisecond apart. */
export function clientIdAt(atMs: number, serial = 0): ClientId {
  const time = atMs.toString(16).padStart(12, '0');
  return ClientId.parse(
    `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${serial.toString(16).padStart(12, '0')}`,
  );
}

/** A row of Ada's on `news`, as a store would give it. */
export function storedComment(atMs: number, change: Partial<StoredComment> = {}): StoredComment {
  const { streamId = news, author = { id: ada, name: 'Ada' }, clientId = clientIdAt(atMs) } = change;
  return {
    id: commentIdOf({ streamId, authorId: author.id, clientId }),
    streamId,
    author,
    clientId,
    text: `at ${atMs}`,
    createdAtMs: atMs,
    path: [],
    region: RegionId.parse('region-1'),
    arrivedAtMs: atMs,
    changedAtMs: atMs,
    isHeld: false,
    ...change,
  };
}

export function identityOf(id: UserId, permissions: Permission[] = []): Identity {
  return { user: { id, name: id.slice(2), kind: id.startsWith('g-') ? 'guest' : 'account' }, permissions };
}
