/**
 * The feed of one stream: keeps its ring by events and by reads of the store, and tells the sockets of this node (A7).
 *
 * Events are hints, and the store is the truth. So the stream is first listened to and then read; whatever may have been missed since is read
 * again (read-plan.ts); and where neither can say what a page lacks, the page is told of a gap.
 */
import type { Comment, CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import type {
  AudienceListener,
  Known,
  LeftOff,
  Resumed,
} from '../../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { Gate } from '../../../cluster/bounds/gate.ts';
import type { CommentId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { StoredComment } from '../store/comment-store.ts';
import type { AudienceEvents, ReadEvent } from './audience-events.ts';
import type { Change } from './change.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import type { KeptHides } from './kept-hides.ts';
import { HeardNumbers, type Sender, type Verdict } from './numbers.ts';
import { OtherRegions, type OtherRegionsPorts } from '../regions/other-regions.ts';
import { WrittenElsewhere, type WrittenElsewherePorts } from '../regions/written-elsewhere.ts';
import { PageAnswers } from './page-answers.ts';
import {
  begun,
  dueFrom,
  doubted,
  hasRead,
  heardOfNats,
  knownTo,
  nothingToRead,
  readElsewhere,
  unnoticedMs,
  type ReadPlan,
} from './read-plan.ts';
import { backMs, isoOf, longestWayMs } from './resume.ts';
import { readSince, readStart, type ReadableStore } from './store-reads.ts';
import { StreamComments } from './stream-comments.ts';
import type { ToldComment } from './told-comment.ts';
import { ToldMessages } from './told-messages.ts';

export interface StreamFeedPorts extends Sender, OtherRegionsPorts {
  readonly region: RegionId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: ReadableStore;
  readonly events: AudienceEvents;
  readonly metrics: FeedMetrics;
  readonly hides: KeptHides;
  /** Bounds the reads for pages that come back, of all streams. */
  readonly gate: Gate;
  /** Bounds the reads for which no page waits, so that they leave the store to those who do. */
  readonly background: Gate;
  /** A comment as everybody may see it: without its text where it is hidden or held. */
  readonly show: (comment: StoredComment) => Comment;
  /** Counts likes and answers of comments that are about to be shown, or leaves them as last known. */
  readonly count: (ids: readonly CommentId[]) => Promise<void>;
  /** Called for each change that another node tells. */
  readonly onHeard: (change: Change) => void;
  /** Those that share the database, and say what they write. */
  readonly regions: WrittenElsewherePorts['regions'];
  /** Until when this region knows what other regions have, each of which has a database of its own. */
  readonly lag?: { knownToMs(): number } | undefined;
}

const modeEveryMs = 5000;
/** The most that one read of the store takes in. */
const mostRows = 10_000;

export class StreamFeed {
  readonly stream: StreamId;
  readonly #ports: StreamFeedPorts;
  readonly #comments: StreamComments;
  readonly #pages: PageAnswers;
  readonly #messages: ToldMessages;
  readonly #numbers = new HeardNumbers();
  readonly #otherRegions: OtherRegions;
  readonly #writtenElsewhere: WrittenElsewhere;
  readonly #listeners = new Set<AudienceListener>();
  readonly #listening: ReturnType<AudienceEvents['listen']>;
  #plan: ReadPlan = nothingToRead;
  #mode: CommentMode | undefined;
  #modeReadMs = -Infinity;
  /** Counts the modes that were told, so that a read that began before one of them does not undo it. */
  #modesTold = 0;
  #isReadingMode = false;
  #isStarted = false;
  #startBeganMs: number | undefined;
  #starting: Promise<void> | undefined;
  #isReading = false;
  #usedMs: number;

  constructor(stream: StreamId, ports: StreamFeedPorts) {
    this.stream = stream;
    this.#ports = ports;
    this.#comments = new StreamComments(ports.hides);
    this.#otherRegions = new OtherRegions(stream, ports);
    this.#writtenElsewhere = new WrittenElsewhere(stream, {
      ...ports,
      isToRead: () => this.#isStarted && !this.#otherRegions.areReadElsewhere,
      onRead: (rows) => this.#takeAllRead(rows, ports.clock.utcMs()),
    });
    this.#messages = new ToldMessages(ports.show);
    const { ring } = this.#comments;
    this.#pages = new PageAnswers({
      ...ports,
      stream,
      ring,
      onLack: () => this.doubt('resume'),
      onRead: (rows, fromMs) => this.#takeAllRead(rows, fromMs),
    });
    this.#usedMs = ports.clock.runningMs();
    this.#listening = ports.events.listen(stream, { hear: (read) => this.#hear(read) });
  }

  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  /** When it last had a listener, or was last asked; now while it has one. */
  get usedMs(): number {
    return this.isUsed ? this.#ports.clock.runningMs() : this.#usedMs;
  }

  attach(listener: AudienceListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#usedMs = this.#ports.clock.runningMs();
      this.#listeners.delete(listener);
    };
  }

  /** Takes in what was accepted here, or what another node told. */
  take(change: Change): void {
    const nowMs = this.#ports.clock.utcMs();
    switch (change.kind) {
      case 'mode':
        this.#modesTold += 1;
        this.#tellMode(change.mode);
        return;
      case 'hiding':
        return this.#tell(this.#comments.hide(change, nowMs));
      case 'counts':
        this.#must({ type: 'counts', counts: [...change.counts] });
        return;
      case 'ban':
        return;
      case 'replicated':
        for (const listener of this.#listeners) listener.replicated(change.comments);
        return;
      case 'erased':
        return this.erase(change.userId, change.atMs);
      case 'unsure':
        this.doubt('unsure');
        return;
      default:
        this.#tell(this.#comments.take(change, nowMs));
    }
  }

  /** A user was erased: what the ring has of them is emptied, and pages are told. */
  erase(user: UserId, atMs: number): void {
    this.#pages.forget();
    for (const told of this.#comments.erase(user, atMs, this.#ports.clock.utcMs())) this.#tell(told);
  }

  /** An event may have been lost: the store is read now and some more times (A7). @param fromMs since when, where that is known */
  doubt(why: string, fromMs?: number): void {
    this.#ports.metrics.doubts.add(1, { why });
    this.#plan = doubted(this.#plan, this.#ports.clock.utcMs(), fromMs);
    this.#readIfDue();
  }

  /** To be called each second. */
  tick(): void {
    const { clock, events, isSharedByRegions } = this.#ports;
    const isSilent = events.downMs() > 0 || isSharedByRegions;
    this.#plan = heardOfNats(this.#plan, isSilent, clock.utcMs());
    if (!this.#isStarted) return void this.#start().catch(() => {});
    this.#readIfDue();
    const isOwnTurn = isSilent && !this.#otherRegions.areReadElsewhere;
    if (isOwnTurn) void this.#otherRegions.readCounts();
    if (isOwnTurn || clock.runningMs() - this.#modeReadMs >= modeEveryMs) void this.#readMode();
  }

  /** The newest comments, in order, as far as there are 300; undefined before the store was read. */
  newest(limit: number): readonly StoredComment[] | undefined {
    this.#usedMs = this.#ports.clock.runningMs();
    return !this.#isStarted ? undefined : this.#comments.ring.newest(limit);
  }

  /** @throws TangazaError as the store throws it, before it was read once */
  async resume(from: LeftOff): Promise<Resumed> {
    const { metrics } = this.#ports;
    this.#usedMs = this.#ports.clock.runningMs();
    try {
      await this.#start();
      const { resume, told } = await this.#pages.answer(from);
      metrics.resumes.add(1, { answer: kindOf(from, resume) });
      await this.#ports.count(told.map(({ comment }) => comment.id));
      return { resume, messages: told.map((one) => this.#messageOf(one)), mode: await this.mode() };
    } catch (error) {
      metrics.resumes.add(1, { answer: 'failed' });
      throw error;
    }
  }

  changesSince(atMs: number): readonly ServerMessage[] {
    const changed = this.#comments.ring.changedSince(atMs - backMs);
    return changed.map((comment) => this.#messageOf({ kind: 'changed', comment }));
  }

  /** What came from other regions bears the time at which it came here. So of this region a page lacks nothing, though others are not known (A8). */
  known(): Known {
    const { clock, lag, region } = this.#ports;
    const toMs = knownTo(this.#plan, clock.utcMs());
    const anywhereMs = lag?.knownToMs() ?? toMs;
    return anywhereMs < toMs ? { toMs: anywhereMs, inRegion: { region, toMs } } : { toMs };
  }

  /** @throws TangazaError as the store throws it, before it was read once */
  async mode(): Promise<CommentMode> {
    if (this.#mode === undefined) await this.#start();
    return this.#mode ?? (await this.#ports.store.mode(this.stream)) ?? { mode: 'open', slowSeconds: 0 };
  }

  close(): void {
    this.#listening.stop();
    this.#writtenElsewhere.close();
    this.#listeners.clear();
  }

  #hear(read: ReadEvent): void {
    const { metrics } = this.#ports;
    if (read.kind !== 'event') {
      metrics.events.add(1, { event: read.kind });
      if (read.kind === 'newer') this.doubt('newer');
      return;
    }
    const { event } = read;
    const { node, bootId } = this.#ports;
    if (event.node === node && event.bootId === bootId) return; // its own come back to it
    const nowMs = this.#ports.clock.utcMs();
    if (!('change' in event)) {
      const verdict = this.#numbers.head(event, event, nowMs);
      const isRead = 'readToMs' in event && this.#otherRegions.heardRead(event);
      if (isRead) this.#plan = readElsewhere(this.#plan, event.readToMs);
      return this.#judge(verdict);
    }
    const verdict = this.#numbers.event(event, event, nowMs);
    metrics.events.add(1, { event: verdict.kind === 'again' ? 'again' : 'heard' });
    if (verdict.kind !== 'again') this.#ports.onHeard(event.change);
    this.take(event.change);
    this.#judge(verdict);
  }

  /** What was told before the start began is in what the start has read. */
  #judge(verdict: Verdict): void {
    if (verdict.kind !== 'gap' && verdict.kind !== 'unknown') return;
    const fromMs = Math.max(verdict.fromMs, this.#startBeganMs ?? -Infinity);
    this.doubt(verdict.kind, fromMs - backMs);
  }

  #start(): Promise<void> {
    if (this.#isStarted) return Promise.resolve();
    this.#starting ??= this.#readStart().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #readStart(): Promise<void> {
    const { clock, store, gate } = this.#ports;
    await this.#listening.isListening;
    const { nowMs, modesTold, start } = await gate.run(async () => {
      const beganMs = clock.utcMs();
      const told = this.#modesTold;
      return { nowMs: beganMs, modesTold: told, start: await readStart(store, this.stream, beganMs) };
    });
    this.#isStarted = true;
    this.#startBeganMs = nowMs;
    this.#plan = begun(this.#plan, nowMs);
    this.#modeReadMs = clock.runningMs();
    this.#comments.begin(start, nowMs);
    if (modesTold === this.#modesTold) this.#mode = start.mode;
  }

  #readIfDue(): void {
    if (this.#isReading || !this.#isStarted) return;
    const fromMs = dueFrom(this.#plan, this.#ports.clock.utcMs(), this.#otherRegions.areReadElsewhere);
    if (fromMs === undefined) return;
    this.#isReading = true;
    void this.#read(fromMs).finally(() => {
      this.#isReading = false;
    });
  }

  async #read(fromMs: number): Promise<void> {
    const { clock, store, metrics, logger, background } = this.#ports;
    try {
      const { beganMs, beganRunningMs, rows, isAll } = await background.run(async () => ({
        beganMs: clock.utcMs(),
        beganRunningMs: clock.runningMs(),
        ...(await readSince(store, this.stream, { fromMs, mostRows })),
      }));
      this.#takeAllRead(rows, fromMs);
      if (isAll) this.#otherRegions.hasRead(beganMs, beganRunningMs);
      if (!isAll) this.#tellGap((rows.at(-1)?.changedAtMs ?? fromMs) - longestWayMs);
      this.#plan = hasRead(this.#plan, beganMs, fromMs);
      metrics.reads.add(1, { outcome: isAll ? 'done' : 'cut' });
    } catch (error) {
      metrics.reads.add(1, { outcome: 'failed' });
      logger.debug(
        { err: error, stream: this.stream },
        'the store was not read; it is tried again in a second',
      );
    }
  }

  #takeAllRead(rows: readonly StoredComment[], fromMs: number): void {
    const mayBeOld: StoredComment[] = [];
    for (const comment of rows)
      if (this.#comments.mayBeOld(comment)) mayBeOld.push(comment);
      else this.#takeRead(comment, fromMs);
    const untold = this.#comments.untold(mayBeOld, this.#ports.clock.utcMs());
    if (untold.length === 0) return;
    const times = untold.map(({ createdAtMs }) => createdAtMs);
    this.#tellGap(
      times.reduce((one, other) => Math.min(one, other)),
      times.reduce((one, other) => Math.max(one, other)) + 1,
    );
  }

  #takeRead(comment: StoredComment, fromMs: number): void {
    // The clock of the node that took it may be behind.
    const kind = comment.arrivedAtMs >= fromMs - unnoticedMs ? 'added' : 'changed';
    const isNews = this.#comments.isNews(comment);
    const told = this.#comments.take({ kind, comment }, this.#ports.clock.utcMs());
    if (told !== undefined) this.#ports.metrics.found.add(1);
    this.#tell(told);
    if (isNews) this.#otherRegions.found({ kind, comment });
  }

  async #readMode(): Promise<void> {
    const { clock, store, background } = this.#ports;
    if (this.#isReadingMode) return;
    this.#isReadingMode = true;
    this.#modeReadMs = clock.runningMs();
    let modesTold = this.#modesTold;
    const read = (): Promise<CommentMode | undefined> => {
      modesTold = this.#modesTold;
      return store.mode(this.stream);
    };
    const mode = await background.run(read).catch(() => undefined);
    this.#isReadingMode = false;
    if (mode === undefined || modesTold !== this.#modesTold) return;
    if (this.#tellMode(mode)) this.#otherRegions.found({ kind: 'mode', streamId: this.stream, mode });
  }

  /** @returns whether it is another one than before */
  #tellMode(mode: CommentMode): boolean {
    const { mode: former, slowSeconds } = this.#mode ?? {};
    this.#mode = mode;
    const isOther = former !== mode.mode || slowSeconds !== mode.slowSeconds;
    if (isOther) this.#must({ type: 'mode', mode });
    return isOther;
  }

  #tell(told: ToldComment | undefined): void {
    if (told !== undefined && this.isUsed) this.#must(this.#messageOf(told));
  }

  #tellGap(fromMs: number, toMs = this.#ports.clock.utcMs()): void {
    this.#must({ type: 'gap', from: isoOf(fromMs), to: isoOf(toMs) });
  }

  #must(message: ServerMessage): void {
    for (const listener of this.#listeners) listener.must(message);
  }

  #messageOf(told: ToldComment): ServerMessage {
    return this.#messages.of(told);
  }
}

function kindOf({ lastId, lastAtMs }: LeftOff, resume: Resumed['resume']): string {
  if (lastId === undefined && lastAtMs === undefined) return 'first';
  if (resume === 'complete') return 'complete';
  return 'behind' in resume ? 'behind' : 'gap';
}
