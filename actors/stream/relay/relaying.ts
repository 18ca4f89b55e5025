/**
 * Runs the relayer of one stream on this node: gives commands to the pure relayer (relayer.ts), and performs the effects that it asks for (R4).
 *
 * It hears the home's records and heads as events. Where no head came for a while, it asks for one: the home's owner may be gone, with the
 * stream's last records unheard. An error that is no `TangazaError` is a defect of this program. It ends this relayer, not the process.
 */
import type { Gate } from '../../../cluster/bounds/gate.ts';
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { RelayedStream } from '../../../cluster/contract/relay-needs.ts';
import { headTold, readHead, readLog, recordPublished } from '../../../cluster/contract/regions/log.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { ObjectPuller } from './object-puller.ts';
import { isAtHead, relay } from './relayer.ts';
import type { RelayerCommand, RelayerEffect, RelayerState } from './relayer-state.ts';

export type LeaveReason = Extract<RelayerEffect, { kind: 'deactivate' }>['reason'] | 'crashed' | 'closed';

export interface RelayingPorts {
  readonly log: IndexLog;
  readonly others: Pick<OtherRegions, 'call' | 'listen'>;
  readonly puller: ObjectPuller;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bounds how many relayers of this node read from that home at once. */
  readonly reading: Gate;
  /** A record went into this region's log. */
  readonly onAppended: (record: IndexRecord) => void;
  /** The log of this region has all of the home's, or has it no longer. */
  readonly onHead: (relaying: Relaying) => void;
  /** Called once, when this relayer does nothing more. */
  readonly onGone: (relaying: Relaying, reason: LeaveReason) => void;
}

/** Times in ms. */
const limits = {
  callMs: 4000,
  /** Without a head for so long, the home is asked; of a stream that is over, later. */
  silentMs: 2000,
  overSilentMs: 5000,
  /** The most records that are read from the home in one go. */
  maxRead: 4096,
} as const;

export class Relaying {
  readonly stream: StreamId;
  readonly home: RegionId;
  readonly #ports: RelayingPorts;
  readonly #stops: readonly (() => void)[];
  #state: RelayerState;
  #isGone = false;
  #wasAtHead = false;
  /** Whether the home's head was heard since the beginning. */
  #hasHeard = false;
  #headAtMs: number;
  #isAskingHead = false;

  constructor(stream: StreamId, state: RelayerState, ports: RelayingPorts) {
    this.stream = stream;
    this.home = state.self.home;
    this.#state = state;
    this.#ports = ports;
    this.#headAtMs = ports.clock.monotonicMs();
    const { others } = ports;
    this.#stops = [
      others.listen(
        this.home,
        recordPublished,
        ({ sequence, record, previous }) =>
          this.tell({ kind: 'heard', entry: { sequence, record }, previous }),
        stream,
      ),
      others.listen(this.home, headTold, (head) => this.#takeHead(head), stream),
    ];
    void this.#askHead();
    this.tell({ kind: 'tick' });
  }

  /** How far this region's log goes, for edges that wait. */
  get told(): RelayedStream {
    return { stream: this.stream, sequence: this.#state.lastSequence, isAtHead: this.#isAtHead };
  }

  get waitingRecords(): number {
    return this.#state.waiting.length;
  }

  /** For how long a record of the home's has waited for this region's log. */
  get lagMs(): number {
    const first = this.#state.waiting[0];
    return first === undefined ? 0 : this.#ports.clock.monotonicMs() - first.heardAtMs;
  }

  get #isAtHead(): boolean {
    return this.#hasHeard && isAtHead(this.#state);
  }

  tick(): void {
    this.tell({ kind: 'tick' });
    const silentMs = this.#state.own.state === 'live' ? limits.silentMs : limits.overSilentMs;
    if (this.#ports.clock.monotonicMs() - this.#headAtMs >= silentMs) void this.#askHead();
  }

  tell(command: RelayerCommand): void {
    if (this.#isGone) return;
    try {
      const { state, effects } = relay(this.#state, command, this.#ports.clock.monotonicMs());
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    } catch (error) {
      return this.#crash(error);
    }
    if (this.#wasAtHead === this.#isAtHead) return;
    this.#wasAtHead = this.#isAtHead;
    this.#ports.onHead(this);
  }

  /** An append that is under way may still take effect. */
  close(): void {
    this.#leave('closed');
  }

  #leave(reason: LeaveReason): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const stop of this.#stops) stop();
    this.#ports.onGone(this, reason);
  }

  #crash(error: unknown): void {
    this.#ports.logger.error({ err: error }, 'a relayer crashed; it begins again from the log');
    this.#leave('crashed');
  }

  #perform(effect: RelayerEffect): void {
    switch (effect.kind) {
      case 'append':
        return this.#start(this.#append(effect.record, effect.expectedSequence));
      case 'readOwn':
        return this.#start(this.#readOwn(effect.fromSequence));
      case 'readHome':
        return this.#start(this.#readHome(effect.from));
      case 'pull':
        return this.#start(this.#pull(effect));
      case 'purge':
        return this.#start(this.#purge(effect.belowSequence));
      case 'deactivate':
        return this.#leave(effect.reason);
      default:
        return unreachable(effect);
    }
  }

  #start(work: Promise<void>): void {
    work.catch((error: unknown) => this.#crash(error));
  }

  async #append(record: IndexRecord, expectedSequence: number): Promise<void> {
    const { recordId } = record;
    try {
      const sequence = await this.#ports.log.append(this.stream, record, expectedSequence);
      this.#ports.onAppended(record);
      this.tell({ kind: 'appended', recordId, sequence });
    } catch (error) {
      mustBeExpected(error);
      this.tell({ kind: 'appendFailed', recordId });
    }
  }

  async #readOwn(fromSequence: number): Promise<void> {
    try {
      const { log } = this.#ports;
      const entries = await log.read(this.stream, fromSequence);
      const tail = entries.at(-1) ?? (await log.tail(this.stream));
      this.tell({ kind: 'ownRead', entries, tail });
    } catch (error) {
      mustBeExpected(error);
      this.tell({ kind: 'ownUnreadable' });
    }
  }

  async #readHome(from: number | 'snapshot'): Promise<void> {
    try {
      const entries = await this.#ports.reading.run(() => this.#pagesFrom(from));
      this.#hasHeard = true;
      this.tell({ kind: 'homeRead', entries });
    } catch (error) {
      mustBeExpected(error);
      this.#ports.logger.debug({ code: errorCodeOf(error) }, "the home's log cannot be read now");
      this.tell({ kind: 'homeUnreadable' });
    }
  }

  async #pagesFrom(from: number | 'snapshot'): Promise<readonly IndexEntry[]> {
    const entries: IndexEntry[] = [];
    let place = from;
    for (;;) {
      const page = await this.#ports.others.call(
        this.home,
        readLog,
        { stream: this.stream, from: place },
        { key: this.stream, withinMs: limits.callMs },
      );
      entries.push(...page.entries);
      const last = page.entries.at(-1);
      if (!page.hasMore || last === undefined || entries.length >= limits.maxRead || this.#isGone)
        return entries;
      place = last.sequence + 1;
    }
  }

  async #pull({ period, rendition, media }: Extract<RelayerEffect, { kind: 'pull' }>): Promise<void> {
    const { stream: streamId, home } = this;
    const isStored = await this.#ports.puller.pull({ streamId, home, period, rendition, media });
    if (isStored) this.tell({ kind: 'stored', sha256: media.sha256 });
  }

  /** What stays is purged after the next snapshot. */
  async #purge(belowSequence: number): Promise<void> {
    try {
      await this.#ports.log.purgeBelow(this.stream, belowSequence);
    } catch (error) {
      mustBeExpected(error);
      this.#ports.logger.warn({ code: errorCodeOf(error) }, "this region's log could not be shortened");
    }
  }

  /** Asks for a head that the home's owner did not tell; one question at a time. */
  async #askHead(): Promise<void> {
    if (this.#isAskingHead || this.#isGone) return;
    this.#isAskingHead = true;
    try {
      const { stream, home } = this;
      const options = { key: stream, withinMs: limits.callMs };
      const { head } = await this.#ports.others.call(home, readHead, { stream }, options);
      if (head !== undefined) this.#takeHead(head);
    } catch (error) {
      if (!(error instanceof TangazaError)) this.#crash(error);
    } finally {
      this.#headAtMs = this.#ports.clock.monotonicMs();
      this.#isAskingHead = false;
    }
  }

  #takeHead({ sequence, recordId }: { readonly sequence: number; readonly recordId: string }): void {
    this.#hasHeard = true;
    this.#headAtMs = this.#ports.clock.monotonicMs();
    this.tell({ kind: 'head', sequence, recordId });
  }
}

/** @throws an error that is a defect of this program */
function mustBeExpected(error: unknown): void {
  if (!(error instanceof TangazaError)) throw error;
}
