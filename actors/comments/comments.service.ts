/** Shell of the comments actor: what is behind the audience's routes. A node asks its own, so that comments work without NATS. */
import type { ServiceSchema } from 'moleculer';
import type { CommentParams } from '../../cluster/contract/api/audience-params.ts';
import type { CommentQuery, LikeQuery, ThreadPageQuery } from '../../cluster/contract/api/audience-routes.ts';
import type {
  CommentMode,
  CreateGuestBody,
  HideBody,
  PostCommentBody,
} from '../../cluster/contract/api/audience-views.ts';
import type {
  AuditQuery,
  BanParams,
  BanQuery,
  UserParams,
} from '../../cluster/contract/api/moderation-routes.ts';
import type { BanBody, EraseBody, ReportBody } from '../../cluster/contract/api/moderation-views.ts';
import type { StreamParams } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { Comments } from './comments.ts';

type OfStream<Q = unknown, B = unknown> = RouteInput<StreamParams, Q, B>;
type OfComment<B = unknown> = RouteInput<CommentParams, unknown, B>;

const tickMs = 500;

export interface CommentsServicePorts {
  readonly comments: Comments;
  readonly checkDeadline: CheckDeadline;
  readonly clock: Pick<Clock, 'every'>;
  /** Keeps the database level with those of other regions. */
  readonly sync?: { start(): void; stop(): void } | undefined;
}

export function commentsService({
  comments,
  checkDeadline,
  clock,
  sync,
}: CommentsServicePorts): ServiceSchema {
  const { posting, reading, liking, moderating, banning, reporting, recording, counting } = comments;
  let stopTicking: readonly (() => void)[] = [];
  const { inTime } = actionsInTime(checkDeadline);
  return {
    name: 'comments',
    actions: {
      post: inTime((input: OfStream<unknown, PostCommentBody>) => posting.post(input)),
      list: inTime((input: OfStream<CommentQuery>) => reading.list(input)),
      thread: inTime((input: RouteInput<CommentParams, ThreadPageQuery>) => reading.thread(input)),
      like: inTime((input: RouteInput<CommentParams, LikeQuery>) => liking.like(input, true)),
      unlike: inTime((input: RouteInput<CommentParams, LikeQuery>) => liking.like(input, false)),
      hide: inTime((input: OfComment) => moderating.hide(input)),
      restore: inTime((input: OfComment<HideBody>) => moderating.restore(input)),
      bans: inTime((input: OfStream<BanQuery>) => banning.list(input)),
      ban: inTime((input: RouteInput<BanParams, unknown, BanBody>) => banning.ban(input)),
      unban: inTime((input: RouteInput<BanParams>) => banning.unban(input)),
      report: inTime((input: OfComment<ReportBody>) => reporting.report(input)),
      release: inTime((input: OfComment<HideBody>) => reporting.release(input)),
      audit: inTime((input: OfStream<AuditQuery>) => recording.audit(input)),
      erase: inTime((input: RouteInput<UserParams, unknown, EraseBody>) => recording.erase(input)),
      guest: inTime((input: RouteInput<unknown, unknown, CreateGuestBody>) => comments.guest(input)),
      identify: inTime((input: RouteInput) => comments.identify(input)),
      mode: inTime((input: OfStream) => moderating.mode(input)),
      setMode: inTime((input: OfStream<unknown, CommentMode>) => moderating.setMode(input)),
    },
    started: () => {
      sync?.start();
      stopTicking = [
        clock.every(tickMs, () => counting.tellChanged()),
        // By itself, as a comment that very many like takes seconds.
        clock.every(tickMs, () => counting.tellRead()),
        // A round may wait for a data centre that is slow, while the others have theirs.
        clock.every(tickMs, () => void comments.look()),
      ];
    },
    stopped: () => {
      sync?.stop();
      stopTicking.forEach((stop) => stop());
    },
  };
}
