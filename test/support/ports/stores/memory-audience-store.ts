/** The comments in memory as an audience's database, so that they are held to its contract: what is no comment is refused. */
import type { AudienceStore } from '../../../../actors/comments/store/audience-store.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { Subject } from './audience-subject.ts';
import { MemoryComments, MemoryCommentStore } from './memory-comment-store.ts';

const refuse = (): Promise<never> =>
  Promise.reject(new TangazaError('UNAVAILABLE', 'The memory holds comments alone.'));

class MemoryAudienceStore extends MemoryCommentStore implements AudienceStore {
  thread = refuse;
  replies = refuse;
  like = refuse;
  likes = refuse;
  likedBy = refuse;
  lastActMs = refuse;
  ban = refuse;
  unban = refuse;
  banOf = refuse;
  bans = refuse;
  report = refuse;
  release = refuse;
  listed = refuse;
  audited = refuse;
  latestOf = refuse;
  eraseUser = refuse;
  keepReactions = refuse;
  reactions = refuse;
}

export async function memorySubject(): Promise<Subject> {
  const shared = new MemoryComments();
  const open = async (): Promise<AudienceStore> => new MemoryAudienceStore(shared);
  return { stores: [await open(), await open()], open, [Symbol.asyncDispose]: async () => {} };
}
