/** The comments of a node: what its actions do. Each part is in a file of its own; here they meet. */
import { allStreams } from '../../cluster/contract/api/moderation-views.ts';
import type { CreateGuestBody, Guest, Identity } from '../../cluster/contract/api/audience-views.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { mustHaveCaller } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { Counting } from './counts/counting.ts';
import { Guards } from './guards/guards.ts';
import { Liking } from './liking.ts';
import { Banning } from './moderation/banning.ts';
import { Moderating } from './moderation/moderating.ts';
import { Recording } from './moderation/recording.ts';
import { Reporting } from './moderation/reporting.ts';
import { streamOf, type Change } from './feed/change.ts';
import { clockWindow } from './ids/client-id.ts';
import type { ToldChanges } from './regions/comment-sync.ts';
import { postMetrics } from './post-metrics.ts';
import { Posting } from './posting.ts';
import { Reading } from './reading/reading.ts';
import { Streams } from './streams.ts';

/** Of one pull; what is more is read from the store. */
const mostTold = 200;

export class Comments {
  readonly #ports: CommentPorts;
  readonly #guards: Guards;
  readonly #streams: Streams;
  readonly posting: Posting;
  readonly moderating: Moderating;
  readonly reading: Reading;
  readonly liking: Liking;
  readonly banning: Banning;
  readonly reporting: Reporting;
  readonly recording: Recording;
  readonly counting: Counting;

  constructor(ports: CommentPorts) {
    const guards = new Guards(ports.words);
    const streams = new Streams(ports);
    this.#ports = ports;
    this.#guards = guards;
    this.#streams = streams;
    const all = { ...ports, guards, streams };
    this.posting = new Posting({ ...all, posted: postMetrics(ports.metrics, all) });
    this.moderating = new Moderating(all);
    this.reading = new Reading(all);
    this.liking = new Liking(all);
    this.banning = new Banning(all);
    this.reporting = new Reporting(all);
    this.recording = new Recording(all);
    this.counting = new Counting(ports);
    ports.outlet.onHeard((change) => this.#heard(change));
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

  /** Looks for what this node has acknowledged in other data centres, and tells what it has found. To be called every half second. */
  look(): Promise<void> {
    const { replication, outlet } = this.#ports;
    return replication.look((change) => outlet.told(change));
  }

  /** Something came from the database of another region: told to the sockets and nodes of this one (A7). It never rejects. */
  async takenElsewhere({
    added,
    changed,
    liked,
    banned,
    modes,
    erased,
    erasedIn,
  }: ToldChanges): Promise<void> {
    const { outlet, counts, store } = this.#ports;
    const changes: readonly Change[] = [
      ...added.map((comment) => ({ kind: 'added', comment }) as const),
      ...changed.map((comment) => ({ kind: 'changed', comment }) as const),
    ];
    const streams = new Set(changes.map(streamOf));
    if (changes.length <= mostTold) for (const change of changes) this.#found(change);
    // What is too much for events is read by those whom it concerns.
    else for (const streamId of streams) outlet.found({ kind: 'unsure', streamId });
    // Pages may show more than rings hold.
    for (const streamId of erasedIn) outlet.found({ kind: 'unsure', streamId });
    counts.changedElsewhere([...liked, ...[...added, ...changed].flatMap(({ path }) => path)]);
    for (const streamId of banned)
      this.#found({ kind: 'ban', streamId: streamId === '' ? allStreams : streamId });
    for (const { userId, atMs } of erased)
      this.#found({ kind: 'erased', streamId: allStreams, userId, atMs: atMs - clockWindow.afterMs });
    for (const streamId of modes) {
      // Unread, it is read within 5 s.
      const mode = await store.mode(streamId).catch(() => undefined);
      if (mode !== undefined) this.#found({ kind: 'mode', streamId, mode });
    }
  }

  #found(change: Change): void {
    this.#heard(change);
    this.#ports.outlet.found(change);
  }

  /** Something changed at another node. */
  #heard(change: Change): void {
    if (change.kind === 'added') this.#guards.heard(change.comment);
    if (change.kind === 'counts') this.#ports.counts.heard(change);
    if (change.kind === 'replicated') this.#ports.replication.heard(change);
    if (change.kind === 'ban') this.#streams.heardBan(change.streamId);
    if (change.kind === 'mode') this.#streams.heardMode(change.streamId, change.mode);
  }
}
