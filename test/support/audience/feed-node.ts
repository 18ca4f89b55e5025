/** A node as its feed sees it, and a page that is connected to it: what it was told, in order. */
import { Feed, type FeedPorts } from '../../../actors/comments/feed/feed.ts';
import type { AudienceEvents } from '../../../actors/comments/feed/audience-events.ts';
import type { ChangedCounts } from '../../../actors/comments/regions/changed-counts.ts';
import type { CommentStore, StoredComment } from '../../../actors/comments/store/comment-store.ts';
import type {
  AudienceFeed,
  Known,
  LeftOff,
  Resumed,
} from '../../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { GoneMember } from '../../../cluster/membership/member-directory.ts';
import { BootId, NodeId, type CommentId, type StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics, type Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { region } from '../ports/records.ts';
import { commentStream, shownComment } from '../ports/stores/stored-comments.ts';

export interface FeedNodeOptions {
  readonly name: string;
  readonly boot?: string;
  readonly clock: Clock;
  readonly store: CommentStore;
  readonly events: AudienceEvents;
  readonly metrics?: Metrics;
  readonly isSharedByRegions?: boolean;
  readonly changedCounts?: ChangedCounts;
  readonly regions?: NonNullable<FeedPorts['regions']>;
  readonly lag?: FeedPorts['lag'];
}

export class FeedNode {
  readonly feed: Feed;
  readonly store: CommentStore;
  readonly #clock: Clock;
  readonly #goneListeners = new Set<(gone: GoneMember) => void>();
  readonly #self: GoneMember;

  constructor({
    name,
    boot = 'b1',
    metrics = noMetrics,
    isSharedByRegions = false,
    ...ports
  }: FeedNodeOptions) {
    this.#clock = ports.clock;
    this.store = ports.store;
    this.#self = { node: NodeId.parse(name), bootId: BootId.parse(boot), why: 'died' };
    this.feed = new Feed({
      ...ports,
      ...this.#self,
      region,
      metrics,
      logger: silentLogger,
      members: {
        onGone: (listener) => {
          this.#goneListeners.add(listener);
          return () => this.#goneListeners.delete(listener);
        },
        onDeclaredDead: () => () => {},
      },
      show: shownComment,
      count: async () => {},
      isSharedByRegions,
      hasReplication: false,
    });
  }

  /** As the comments actor does: into the store, and then out. @throws as the store does */
  async post(comment: StoredComment): Promise<void> {
    const added = await this.store.add(comment, { isHeld: comment.isHeld, nowMs: this.#clock.utcMs() });
    if (added.isNew) this.feed.told({ kind: 'added', comment: added.comment });
  }

  /** Hides a comment, or shows it again. @throws as the store does */
  async hide(id: CommentId, isHidden: boolean): Promise<void> {
    const nowMs = this.#clock.utcMs();
    const hiding = isHidden ? ({ by: 'operator', atMs: nowMs } as const) : undefined;
    const comment = await this.store.setHidden(id, hiding, nowMs);
    if (comment !== undefined) this.feed.told({ kind: 'changed', comment });
  }

  /** Another node learns that this one has died. */
  tellDeathOf(other: FeedNode): void {
    for (const listener of this.#goneListeners) listener(other.#self);
  }
}

/** Follows a stream at a node. What comes before it is resumed is kept as well: the page knows what it has. */
export class FeedPage {
  readonly messages: ServerMessage[] = [];
  /** Comments whose authors its node would tell that another region has them. */
  readonly replicated: CommentId[] = [];
  readonly #followed: ReturnType<AudienceFeed['follow']>;

  constructor(feed: AudienceFeed, stream: StreamId = commentStream) {
    this.#followed = feed.follow(stream, {
      must: (message) => void this.messages.push(message),
      may: () => {},
      replicated: (comments) => void this.replicated.push(...comments.map(({ id }) => id)),
    });
  }

  async resume(from: LeftOff = {}): Promise<Resumed> {
    const resumed = await this.#followed.resume(from);
    this.messages.push(...resumed.messages);
    return resumed;
  }

  known(): Known {
    return this.#followed.known();
  }

  changesSince(atMs: number): readonly ServerMessage[] {
    return this.#followed.changesSince(atMs);
  }

  leave(): void {
    this.#followed.close();
  }

  /** The comments that it shows by what it was told, in order; hidden ones not among them. */
  get shown(): readonly CommentId[] {
    const shown = new Map<CommentId, boolean>();
    for (const message of this.messages) {
      if (message.type === 'comment') shown.set(message.comment.id, !message.comment.hidden);
      if (message.type === 'commentUpdated') shown.set(message.comment.id, !message.comment.hidden);
    }
    return [...shown].flatMap(([id, isShown]) => (isShown ? [id] : [])).toSorted();
  }

  /** The ids of the comments that it was told of as new ones, as often as that happened. */
  get added(): readonly CommentId[] {
    return this.messages.flatMap((message) => (message.type === 'comment' ? [message.comment.id] : []));
  }
}
