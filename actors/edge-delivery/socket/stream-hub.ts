/**
 * What one stream tells all its sockets: one follow of the feed, one batch, one text for each frame and topic.
 *
 * H1. A frame that was published before a socket joined is not sent to it. So sockets join between frames: when no batch waits, or right
 *     after it went out. What they lack until then is in their welcome.
 * H2. Nobody leaves or joins a topic within a call of the library that publishes: it would be looked up while it is taken apart.
 */
import type { Reactions } from '../../../cluster/contract/audience/reactions.ts';
import { openMode } from '../../../cluster/contract/api/audience-views.ts';
import type {
  AudienceFeed,
  FollowedStream,
  ReplicatedComment,
} from '../../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { frameOf, textOf } from './frame.ts';
import { mostGatherMs, type FrameRhythm } from './frames/frame-rhythm.ts';
import { LatestMessages } from './latest-messages.ts';
import { MayBatch } from './frames/may-batch.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { Publish } from './socket-port.ts';

export interface HubPorts {
  readonly clock: Clock;
  readonly feed: AudienceFeed;
  /** Undefined on a node that counts none. */
  readonly reactions: () => Reactions | undefined;
  readonly publish: Publish;
  readonly rhythm: () => FrameRhythm;
  readonly metrics: SocketMetrics;
  /** Each is told to the sockets of its author alone. */
  readonly onReplicated: (comments: readonly ReplicatedComment[]) => void;
}

/** A batch that is longer goes out at once. */
const batchChars = 131_072;

export class StreamHub {
  readonly mustTopic: string;
  readonly mayTopic: string;
  readonly followed: FollowedStream;
  readonly latest = new LatestMessages();
  /** As it was last heard. */
  mode = openMode;
  readonly #ports: HubPorts;
  readonly #must: string[] = [];
  #mustChars = 0;
  readonly #may = new MayBatch();
  readonly #stopReactions: () => void;
  readonly #between: (() => void)[] = [];
  #isMustDue = false;
  #isMayDue = false;
  #isClosed = false;
  /** When the three last frames went out, in server time. */
  #framesMs: readonly [number, number, number];

  constructor(stream: StreamId, ports: HubPorts) {
    this.#ports = ports;
    this.mustTopic = `must/${stream}`;
    this.mayTopic = `may/${stream}`;
    const nowMs = ports.clock.utcMs();
    this.#framesMs = [nowMs, nowMs, nowMs];
    this.followed = ports.feed.follow(stream, {
      must: (message) => this.#onMust(message),
      may: (message) => this.#onMay(message),
      replicated: (comments) => {
        if (!this.#isClosed) ports.onReplicated(comments);
      },
    });
    const stop = ports.reactions()?.follow(stream, {
      reactions: (sums, windowMs) => this.#onMay({ type: 'reactions', ...sums, windowMs }),
      viewers: (count) => this.#onMay({ type: 'viewers', count }),
    });
    this.#stopReactions = stop ?? (() => {});
  }

  /** The server time of the last frame but two: the last one may wait (lanes.ts N1), and whoever misses the one before has at least that. */
  get sureMs(): number {
    return this.#framesMs[0];
  }

  /** Runs it when no batch waits: at once, or when the one that waits has gone out. */
  between(run: () => void): void {
    if (this.#must.length === 0) run();
    else this.#between.push(run);
  }

  close(): void {
    this.#isClosed = true;
    this.followed.close();
    this.#stopReactions();
  }

  #onMust(message: ServerMessage): void {
    if (this.#isClosed) return;
    this.latest.add(message);
    if (message.type === 'mode') this.mode = message.mode;
    const text = textOf(message);
    this.#must.push(text);
    this.#mustChars += text.length;
    if (this.#mustChars >= batchChars) return this.#flush();
    if (this.#isMustDue) return;
    this.#isMustDue = true;
    void this.#later(this.#ports.rhythm().gatherMs, () => this.#flush());
  }

  #onMay(message: ServerMessage): void {
    if (this.#isClosed) return;
    this.#may.add(message);
    if (this.#isMayDue) return;
    this.#isMayDue = true;
    void this.#later(mostGatherMs, () => this.#flushMay());
  }

  async #later(ms: number, run: () => void): Promise<void> {
    await this.#ports.clock.sleep(ms);
    if (!this.#isClosed) run();
  }

  #flush(): void {
    this.#isMustDue = false;
    const texts = this.#must.splice(0);
    this.#mustChars = 0;
    if (texts.length > 0) {
      const nowMs = this.#ports.clock.utcMs();
      this.#framesMs = [this.#framesMs[1], this.#framesMs[2], nowMs];
      this.#publish('must', this.mustTopic, frameOf(nowMs, texts, this.followed.known()));
    }
    for (const run of this.#between.splice(0)) run();
  }

  #flushMay(): void {
    this.#isMayDue = false;
    const texts = this.#may.take().map(textOf);
    if (texts.length === 0) return;
    const frame = frameOf(this.#ports.clock.utcMs(), texts, this.followed.known());
    this.#publish('may', this.mayTopic, frame);
  }

  #publish(kind: 'must' | 'may', topic: string, frame: string): void {
    const { metrics, publish } = this.#ports;
    metrics.frames.add(1, { topic: kind });
    metrics.hurried.add(publish(topic, frame));
  }
}
