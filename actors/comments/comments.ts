/** The comments of a node: what its actions do. Each part is in a file of its own; here they meet. */
import type {
  Comment,
  CommentPage,
  CreateGuestBody,
  Guest,
  Identity,
} from '../../cluster/contract/api/audience-views.ts';
import type { CommentQuery } from '../../cluster/contract/api/audience-routes.ts';
import type { StreamParams } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { mustHaveCaller, readerOf } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { isShownTo, viewOf } from './comment-view.ts';
import { Guards } from './guards/guards.ts';
import { Moderating } from './moderating.ts';
import type { Change } from './feed/change.ts';
import { cutPage, placeIn } from './page.ts';
import { postMetrics } from './post-metrics.ts';
import { Posting } from './posting.ts';
import type { StoredComment } from './store/comment-store.ts';
import { Streams } from './streams.ts';

export class Comments {
  readonly #ports: CommentPorts;
  readonly #guards: Guards;
  readonly #streams: Streams;
  readonly posting: Posting;
  readonly moderating: Moderating;

  constructor(ports: CommentPorts) {
    const guards = new Guards(ports.words);
    const streams = new Streams(ports);
    this.#ports = ports;
    this.#guards = guards;
    this.#streams = streams;
    this.posting = new Posting({ ...ports, guards, streams, counts: postMetrics(ports.metrics, guards) });
    this.moderating = new Moderating({ ...ports, guards, streams });
    ports.outlet.onHeard((change) => this.#heard(change));
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, `BAD_REQUEST`, and what the store throws */
  async list({
    params: { id },
    query,
    caller,
  }: RouteInput<StreamParams, CommentQuery>): Promise<CommentPage> {
    const { store, identities } = this.#ports;
    const { before, after, limit } = query;
    if (before !== undefined && after !== undefined)
      throw new TangazaError('BAD_REQUEST', 'Pass either before or after: a page goes one way.');
    const [reader] = await Promise.all([readerOf(identities, caller), this.#streams.mustExist(id)]);
    const isShown = (comment: StoredComment): boolean => isShownTo(reader, comment);
    const start = placeIn(id, after);
    const page =
      start === undefined
        ? await cutPage({
            limit,
            isShown,
            from: placeIn(id, before),
            read: (rows, from) => store.newest(id, rows, from),
          })
        : await cutPage({
            limit,
            isShown,
            from: start,
            read: (rows, from) => store.following(id, rows, from ?? start),
          });
    const items: Comment[] = page.items.map((comment) => viewOf(comment, reader));
    return page.next === undefined ? { items } : { items, nextCursor: page.next };
  }

  /** @throws TangazaError `TOO_MANY_COMMENTS`, `BAD_REQUEST`, `TEXT_REFUSED` */
  async guest({ body, caller: sender }: RouteInput<unknown, unknown, CreateGuestBody>): Promise<Guest> {
    const { identities, clock } = this.#ports;
    this.#guards.enterAsGuest(mustHaveCaller(sender).network, clock.utcMs());
    const { text: name, isHeld } = this.#guards.judge(body.name);
    if (isHeld) throw new TangazaError('TEXT_REFUSED', 'This name is not allowed here: choose another one.');
    return identities.createGuest(name);
  }

  /** @throws TangazaError `UNAUTHENTICATED`, `UNAVAILABLE` */
  identify({ caller }: RouteInput): Promise<Identity> {
    return this.#ports.identities.identify(mustHaveCaller(caller));
  }

  /** Something changed at another node. */
  #heard(change: Change): void {
    if (change.kind === 'added') this.#guards.heard(change.comment);
    if (change.kind === 'mode') this.#streams.heardMode(change.streamId, change.mode);
  }
}
