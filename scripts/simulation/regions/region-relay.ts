/** Runs the product's relayer in the simulation: its effects take time, answers are lost, and the process may be killed meanwhile. */
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { createRelayer, relay } from '../../../actors/stream/relay/relayer.ts';
import type {
  RelayerCommand,
  RelayerEffect,
  RelayerState,
} from '../../../actors/stream/relay/relayer-state.ts';
import type { Agenda } from '../agenda.ts';
import type { Random } from '../random.ts';
import type { RegionLog } from './region-log.ts';

export interface RelayParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly name: string;
  readonly own: RegionLog;
  readonly home: RegionLog;
  /** Whether a call to the home, and its answer, get through now. */
  readonly isLinked: () => boolean;
  readonly onGone: () => void;
}

/** Of messages between regions, and of acknowledgements within one, which cost two seconds. */
const lossShare = 0.02;
const ackLossShare = 0.005;
const patienceMs = 2000;
const maxLogRecords = 60;

export class RegionRelay {
  readonly #parts: RelayParts;
  #state: RelayerState;
  #isKilled = false;
  #heardAtMs = 0;

  constructor(parts: RelayParts, beyond: FoldedTimeline | undefined) {
    this.#parts = parts;
    const self = { region: parts.own.region, home: parts.home.region, name: parts.name, maxLogRecords };
    const start = { self, entries: [...parts.own.entries], beyond };
    this.#state = createRelayer(start, parts.agenda.nowMs);
  }

  get home(): RegionId {
    return this.#parts.home.region;
  }

  kill(): void {
    this.#isKilled = true;
  }

  tick(): void {
    this.#do({ kind: 'wanted', byStandby: this.#parts.random.chance(0.3) });
    this.#do({ kind: 'tick' });
  }

  /** A record that the home published. Messages of one connection keep their order. */
  hear(entry: IndexEntry, previous: number): void {
    if (!this.#parts.random.chance(lossShare)) this.#inOrder({ kind: 'heard', entry, previous });
  }

  hearHead({ sequence, record }: IndexEntry): void {
    this.#inOrder({ kind: 'head', sequence, recordId: record.recordId });
  }

  #inOrder(command: RelayerCommand): void {
    const { agenda, random } = this.#parts;
    this.#heardAtMs = Math.max(this.#heardAtMs, agenda.nowMs + random.between(5, 200));
    agenda.after(this.#heardAtMs - agenda.nowMs, () => this.#do(command));
  }

  #do(command: RelayerCommand): void {
    if (this.#isKilled) return;
    const { state, effects } = relay(this.#state, command, this.#parts.agenda.nowMs);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #later(leastMs: number, mostMs: number, run: () => void): void {
    this.#parts.agenda.after(this.#parts.random.between(leastMs, mostMs), run);
  }

  #perform(effect: RelayerEffect): void {
    const { own, random, onGone } = this.#parts;
    switch (effect.kind) {
      case 'append':
        return this.#later(1, 8, () => this.#append(effect));
      case 'readOwn':
        return this.#later(1, 50, () => {
          const entries = own.from(effect.fromSequence);
          this.#do({ kind: 'ownRead', entries, tail: own.tail });
        });
      case 'readHome':
        return this.#later(10, 200, () => this.#readHome(effect.from));
      case 'pull':
        if (random.chance(0.9))
          this.#later(1, 1500, () => this.#do({ kind: 'stored', sha256: effect.media.sha256 }));
        return undefined;
      case 'purge':
        return own.purgeBelow(effect.belowSequence);
      case 'deactivate':
        this.kill();
        return onGone();
      default:
        return effect satisfies never;
    }
  }

  /** It may take effect although the process was killed meanwhile, or its answer is lost. */
  #append({ record, expectedSequence }: Extract<RelayerEffect, { kind: 'append' }>): void {
    const { own, random } = this.#parts;
    const { recordId } = record;
    const sequence = own.append(record, expectedSequence);
    const isLost = random.chance(ackLossShare);
    if (sequence !== undefined && !isLost)
      this.#later(1, 8, () => this.#do({ kind: 'appended', recordId, sequence }));
    else this.#later(1, isLost ? patienceMs : 8, () => this.#do({ kind: 'appendFailed', recordId }));
  }

  #readHome(from: number | 'snapshot'): void {
    const { home, isLinked } = this.#parts;
    if (!isLinked()) return this.#later(500, patienceMs, () => this.#do({ kind: 'homeUnreadable' }));
    const entries = from === 'snapshot' ? home.fromSnapshot() : home.from(from);
    return this.#later(5, 200, () => this.#do({ kind: 'homeRead', entries }));
  }
}
