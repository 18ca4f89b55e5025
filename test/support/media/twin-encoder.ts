/** An encoder that publishes to several nodes, and who feeds a stream. */
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import type { Feed } from './media-feed.ts';
import { RtmpPublisher, type PublisherOptions } from '../ingest/rtmp-publisher.ts';

/** One encoder with one clock; each connection joins when it is made, and has a clock of its own, as OBS' outputs do. */
export class TwinEncoder {
  readonly #feed: Feed;
  readonly #startMs = systemClock.monotonicMs();

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  async connect(
    { stream }: { readonly stream: { readonly key: string } },
    node: Pick<DemoNode, 'rtmp'>,
    options: Pick<PublisherOptions, 'capsEx'> = {},
  ): Promise<RtmpPublisher> {
    const { hostname, port } = new URL(node.rtmp.replace('rtmp:', 'http:'));
    const publisher = await RtmpPublisher.connect({
      host: hostname,
      port: Number(port),
      key: stream.key,
      ...options,
    });
    const answer = await publisher.publish();
    if (answer?.level !== 'status') throw new Error(`refused: ${JSON.stringify(answer)}`);
    const fromMs = systemClock.monotonicMs() - this.#startMs;
    publisher.send(this.#feed, { speed: 1, fromMs, zeroBased: 'separately' }).catch(() => {});
    return publisher;
  }
}

/** How many sessions feed the stream. */
export const twinsAt = (health: StreamHealth): number =>
  (health.sessions ?? []).filter(({ role }) => role === 'active').length;
