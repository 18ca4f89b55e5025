/**
 * The encoders of `bench failover`: one encoded clip, sent for ever in real time, over one connection or several.
 *
 * An encoder has one clock. Each of its connections sets audio and video to zero separately, as OBS does (M1).
 *
 * E1. A connection that joins a running encoder sends from its present place, in the middle of a GOP, as a twin's output does.
 * E2. A single encoder that lost its connection begins again after 1 s at another node, with a keyframe and a new clock, like
 *     an encoder whose output is started again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Feed, FeedTag } from '../../../test/support/media/media-feed.ts';
import { RtmpPublisher } from '../../../test/support/ingest/rtmp-publisher.ts';
import type { DemoNode } from '../../demo/site.ts';

const reconnectMs = 1000;

export class Encoder {
  readonly #feed: Feed;
  readonly #key: string;
  #startMs = performance.now();

  constructor(feed: Feed, key: string) {
    this.#feed = feed;
    this.#key = key;
  }

  /** @throws Error when the node cannot be reached or refuses */
  async connect(node: DemoNode, fromKeyframe = false): Promise<RtmpPublisher> {
    const { hostname, port } = new URL(node.rtmp.replace('rtmp:', 'http:'));
    const { publisher, status } = await RtmpPublisher.publish({
      host: hostname,
      port: Number(port),
      key: this.#key,
    });
    if (status?.level !== 'status') {
      await publisher[Symbol.asyncDispose]();
      throw new Error(`${node.node} refused a publisher: ${status?.description ?? 'no status'}`);
    }
    if (fromKeyframe) this.#skipToKeyframe();
    this.#send(publisher).catch(() => publisher.destroy());
    return publisher;
  }

  /** Skips to the next keyframe (E2). Only for an encoder without another connection. */
  #skipToKeyframe(): void {
    const fromMs = performance.now() - this.#startMs;
    for (const { tag, atMs } of this.#from(fromMs)) {
      if (!tag.isKey || tag.type !== 9) continue;
      this.#startMs -= atMs - fromMs;
      return;
    }
  }

  async #send(publisher: RtmpPublisher): Promise<void> {
    let isClosed = false;
    void publisher.closed.then(() => (isClosed = true));
    for (const header of this.#feed.headers) publisher.sendTag(header);
    const zeros = new Map<number, number>();
    for (const { tag, atMs } of this.#from(performance.now() - this.#startMs)) {
      const waitMs = this.#startMs + atMs - performance.now();
      if (waitMs > 5) await delay(waitMs);
      if (isClosed) return;
      const zeroMs = zeros.get(tag.type) ?? atMs;
      zeros.set(tag.type, zeroMs);
      publisher.sendTag(tag, atMs - zeroMs - tag.timestampMs);
    }
  }

  /** Repeats the clip for ever. Each tag has its time on the encoder's clock. */
  *#from(fromMs: number): Generator<{ readonly tag: FeedTag; readonly atMs: number }> {
    const { tags, durationMs } = this.#feed;
    for (let loop = Math.floor(fromMs / durationMs); ; loop += 1) {
      for (const tag of tags) {
        const atMs = loop * durationMs + tag.timestampMs;
        if (atMs >= fromMs) yield { tag, atMs };
      }
    }
  }
}

/**
 * Publishes to one of several nodes, and to the next one when it is disconnected. A single encoder joins with a keyframe (E2). One of an
 * encoder's two connections joins `anywhere` (E1), and has one node only.
 */
export class ReconnectingEncoder implements AsyncDisposable {
  readonly #encoder: Encoder;
  readonly #nodes: readonly DemoNode[];
  readonly #isAlone: boolean;
  readonly #loop: Promise<void>;
  readonly #ending = new AbortController();
  #next: number;
  #publisher: RtmpPublisher | undefined;
  /** The node to which it publishes now. */
  node: DemoNode | undefined;
  connections = 0;

  constructor(
    encoder: Encoder,
    nodes: readonly DemoNode[],
    first: DemoNode,
    { joins = 'keyframe' }: { readonly joins?: 'keyframe' | 'anywhere' } = {},
  ) {
    this.#encoder = encoder;
    this.#nodes = nodes;
    this.#isAlone = joins === 'keyframe';
    this.#next = nodes.indexOf(first);
    this.#loop = this.#keepPublishing();
  }

  /** Closes its connection and begins again at that node. */
  moveTo(node: DemoNode): void {
    this.#next = this.#nodes.indexOf(node);
    this.#publisher?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#publisher?.destroy();
    await this.#loop;
  }

  async #keepPublishing(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const node = this.#nodes[this.#next % this.#nodes.length];
      this.#next += 1;
      if (node === undefined) return;
      try {
        this.#publisher = await this.#encoder.connect(node, this.#isAlone);
        this.connections += 1;
        this.node = node;
        if (signal.aborted) this.#publisher.destroy();
        await this.#publisher.closed;
      } catch {
        // The node is down or refuses, so it tries the next one.
      }
      this.node = undefined;
      await delay(reconnectMs, undefined, { signal }).catch(() => {});
    }
  }
}
