/** What a simulated user needs of the world. `audience-client.http.ts` is the real one. */
import type { Comment, PostCommentBody } from '../../cluster/contract/api/audience-views.ts';
import type { ClientMessage, ServerMessage } from '../../cluster/contract/audience/socket-messages.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { Recorder } from './recorder.ts';

export interface OpenSocket {
  send(message: ClientMessage): void;
  close(): void;
}

export interface SocketListener {
  readonly onFrame: (messages: readonly ServerMessage[]) => void;
  readonly onClose: () => void;
}

export type Answer =
  | { readonly kind: 'taken'; readonly comment: Comment }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly status: number;
      readonly retryAfterSeconds: number | undefined;
    }
  /** Nobody answered, or not in time. */
  | { readonly kind: 'silent' };

export interface PageQuery {
  readonly before?: string;
  readonly after?: string;
  readonly limit: number;
}

export interface CommentPageRead {
  readonly items: readonly Comment[];
  readonly nextCursor?: string | undefined;
}

/** Of one user, with his token. Edges are URLs without a path. */
export interface AudienceClient {
  /** @throws when it does not open in time */
  open(url: string, listener: SocketListener): Promise<OpenSocket>;
  post(edge: string, body: PostCommentBody): Promise<Answer>;
  /** @throws when the edge does not answer with a page */
  list(edge: string, query: PageQuery): Promise<CommentPageRead>;
  /** @returns whether it was answered that it is hidden; undefined where nobody answered */
  hide(edge: string, id: string): Promise<boolean | undefined>;
  /** Likes, or takes that back. @param atMs of the server. @returns whether it was answered that it counts; undefined where nobody answered, or it is to be asked again */
  like(
    edge: string,
    like: { readonly id: string; readonly isOn: boolean; readonly atMs: number },
  ): Promise<boolean | undefined>;
  /** For `hello`. */
  readonly token: string;
}

export interface UserPorts {
  readonly client: AudienceClient;
  readonly clock: Pick<Clock, 'utcMs' | 'sleep'>;
  readonly recorder: Recorder;
  /** 0 to 1. */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}
