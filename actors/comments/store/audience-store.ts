/** The audience's database: all its ports, which one adapter keeps for one file or one cluster. */
import type { CommentStore } from './comment-store.ts';
import type { LikeStore } from './like-store.ts';
import type { ModerationStore } from './moderation-store.ts';
import type { ReactionStore } from './reaction-store.ts';
import type { ThreadStore } from './thread-store.ts';

export interface AudienceStore extends CommentStore, ThreadStore, LikeStore, ModerationStore, ReactionStore {}
