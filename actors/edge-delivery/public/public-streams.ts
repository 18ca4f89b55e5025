/**
 * Serves `GET /v1/streams/{id}/public`, which every viewer's page asks for every second or two.
 *
 * A reply is used for everybody for a second, so its cost does not grow with the number of viewers. While the registry is gone the last
 * title stays, and while the index log is gone the last state. Bound: replies kept; the oldest goes.
 */
import type { PublicStream, StreamParams } from '../../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { Hop } from '../http/caller.ts';
import { cachePolicy, jsonReply, type Message } from '../http/http.ts';
import type { KnownStream, KnownStreams } from './known-streams.ts';
import type { StreamFinder } from '../playback/stream-finder.ts';
import { mustBeKnown } from '../playback/stream-finder.ts';
import { certainSilenceMs, seenStanding, type RegionsPart } from './regions-seen.ts';
import { streamStanding } from './stream-state.ts';
import { newestPicture } from '../playback/thumbnails.ts';

export interface PublicStreamsPorts {
  readonly clock: Clock;
  readonly knownStreams: KnownStreams;
  readonly finder: StreamFinder;
  readonly retentionSeconds: number;
  /** Absent in a deployment of one region. */
  readonly regions: RegionsPart | undefined;
}

interface Kept {
  readonly reply: Message;
  readonly untilMs: number;
}

const freshMs = 1000;
const maxReplies = 4096;

export class PublicStreams {
  readonly #ports: PublicStreamsPorts;
  readonly #replies = new Map<string, Kept>();

  constructor(ports: PublicStreamsPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, `LOG_UNAVAILABLE`, `OVERLOADED`, `UNAVAILABLE` */
  async serve(hop: Hop, { params: { id }, origin }: RouteInput<StreamParams>): Promise<Message> {
    const key = `${id} ${origin}`;
    const kept = this.#replies.get(key);
    const nowMs = this.#ports.clock.monotonicMs();
    if (kept !== undefined && kept.untilMs > nowMs) return kept.reply;
    const reply = jsonReply(200, await this.describe(hop, id, origin), {
      'cache-control': cachePolicy.manifest,
    });
    this.#replies.delete(key);
    this.#replies.set(key, { reply, untilMs: nowMs + freshMs });
    const [oldest] = this.#replies.keys();
    if (this.#replies.size > maxReplies && oldest !== undefined) this.#replies.delete(oldest);
    return reply;
  }

  /** @throws as `serve` does */
  async describe(hop: Hop, id: StreamId, origin: string): Promise<PublicStream> {
    const { clock, finder, retentionSeconds, regions } = this.#ports;
    const { title, createdAtMs } = await this.#known(hop, id);
    const log = await finder.follow(id);
    const { timeline } = log;
    const utcMs = clock.utcMs();
    const silence = { epoch: timeline.epoch, silentMs: log.silentMs };
    const silentMs = regions === undefined ? log.silentMs : certainSilenceMs(id, silence, regions);
    const heard = { utcMs, silentMs, retentionMs: retentionSeconds * 1000 };
    const standing = streamStanding(timeline, heard);
    const { heardAtMs } = timeline.broadcast;
    const seen = { standing, epoch: timeline.epoch, heardAtMs };
    const { state, sinceMs, unheard } =
      regions === undefined ? { ...standing, unheard: undefined } : seenStanding(id, seen, regions);
    const hasPicture = state !== 'ended' && newestPicture(timeline) !== undefined;
    return {
      id,
      title,
      state,
      since: new Date(sinceMs ?? createdAtMs).toISOString(),
      ...(unheard === undefined
        ? {}
        : { unheard: { region: unheard.region, since: new Date(unheard.sinceMs).toISOString() } }),
      poster: hasPicture ? `${origin}/live/${id}/thumbnail.jpg` : null,
    };
  }

  /** The title as it was last known. */
  titleOf(id: StreamId): string | undefined {
    return this.#ports.knownStreams.lastKnown(id)?.title;
  }

  async #known(hop: Hop, id: StreamId): Promise<KnownStream> {
    const { knownStreams } = this.#ports;
    return mustBeKnown(id, await knownStreams.standingOrLast(hop, id, freshMs));
  }
}
