/** The audience's feed in memory: what a test tells goes to every follower, and is kept for those who come. */
import { openMode, type CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import type {
  AudienceFeed,
  AudienceListener,
  FollowedStream,
  KnownInRegion,
  LeftOff,
  ReplicatedComment,
  Resumed,
} from '../../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { region } from '../ports/records.ts';

interface Told {
  readonly atMs: number;
  readonly message: ServerMessage;
}

const newest = 200;
/** Clocks of a page and of its edges differ. */
const marginMs = 5000;

export class MemoryAudienceFeed implements AudienceFeed {
  readonly region = region;
  hasReplication = false;
  /** How far it is behind what was accepted elsewhere. */
  behindMs = 0;
  /** What it says of its own region. */
  inRegion: KnownInRegion | undefined;
  /** What `resume` waits for before it answers, and what it answers then. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  readonly #told = new Map<StreamId, Told[]>();
  readonly #followers = new Map<StreamId, Set<AudienceListener>>();
  readonly #modes = new Map<StreamId, CommentMode>();

  follow(stream: StreamId, listener: AudienceListener): FollowedStream {
    const followers = this.#followers.get(stream) ?? new Set();
    this.#followers.set(stream, followers.add(listener));
    return {
      resume: (from) => this.#resume(stream, from),
      changesSince: (atMs) =>
        this.#of(stream)
          .filter((told) => told.atMs >= atMs && told.message.type === 'commentUpdated')
          .map(({ message }) => message),
      known: () => ({ toMs: Date.now() - this.behindMs, inRegion: this.inRegion }),
      close: () => void followers.delete(listener),
    };
  }

  followers(stream: StreamId): number {
    return this.#followers.get(stream)?.size ?? 0;
  }

  /** Tells what nobody may miss. */
  tell(stream: StreamId, message: ServerMessage): void {
    this.#of(stream).push({ atMs: Date.now(), message });
    if (message.type === 'mode') this.#modes.set(stream, message.mode);
    for (const listener of this.#followers.get(stream) ?? []) listener.must(message);
  }

  /** Tells what a slow reader may miss. */
  tellIfRead(stream: StreamId, message: ServerMessage): void {
    for (const listener of this.#followers.get(stream) ?? []) listener.may(message);
  }

  /** Another region has these now. */
  tellReplicated(stream: StreamId, comments: readonly ReplicatedComment[]): void {
    for (const listener of this.#followers.get(stream) ?? []) listener.replicated(comments);
  }

  async #resume(stream: StreamId, { lastId, lastAtMs, inRegion }: LeftOff): Promise<Resumed> {
    const isOwn = inRegion !== undefined && inRegion.region === this.region;
    const answer = this.#answer(stream, lastId, isOwn ? inRegion.toMs : lastAtMs);
    await this.beforeAnswer();
    return answer;
  }

  #answer(stream: StreamId, lastId: string | undefined, lastAtMs: number | undefined): Resumed {
    const mode = this.#modes.get(stream) ?? openMode;
    const told = this.#of(stream).filter(({ message }) => message.type !== 'mode');
    if (lastAtMs === undefined && lastId === undefined) {
      const comments = told.filter(({ message }) => message.type === 'comment');
      return { resume: 'complete', messages: messagesOf(comments.slice(-newest)), mode };
    }
    const missed = told.filter(({ atMs, message }) =>
      lastAtMs === undefined
        ? message.type === 'comment' && message.comment.id > (lastId ?? '')
        : atMs >= lastAtMs - marginMs,
    );
    if (missed.length <= newest) return { resume: 'complete', messages: messagesOf(missed), mode };
    const first = missed.at(-newest);
    const gap = { from: timeOf(lastAtMs ?? missed[0]?.atMs), to: timeOf(first?.atMs) };
    return { resume: { gap }, messages: messagesOf(missed.slice(-newest)), mode };
  }

  #of(stream: StreamId): Told[] {
    const told = this.#told.get(stream) ?? [];
    this.#told.set(stream, told);
    return told;
  }
}

const messagesOf = (told: readonly Told[]): readonly ServerMessage[] => told.map(({ message }) => message);
const timeOf = (ms = 0): string => new Date(ms).toISOString();
