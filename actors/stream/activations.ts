/**
 * The activations of one node: one for each stream that it owns, claimed when the stream is first asked for (C2).
 *
 * D1. This node claims a stream that has no living owner. It takes a record at once that names this node, whatever the
 *     boot, and a record of a broadcast that has ended. A record that names another living node stands (`NOT_OWNER`).
 * D2. Calls for a stream wait while the stream is taken over, and share that one take-over.
 * D3. The node owns at most `maxActivations` streams. A further stream is refused as OVERLOADED.
 * D4. A node that drains claims nothing new.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Counter } from '../../cluster/observe/metrics.ts';
import { Activation, type ActivationPorts } from './activation.ts';
import type { OwnerSettings } from './owner/owner-state.ts';
import { claimStream, type Claim, type ClaimPorts } from './succession/claim.ts';

/** Streams on one node (D3). */
export const maxActivations = 500;

export interface ActivationsPorts extends ClaimPorts, Omit<ActivationPorts, 'count' | 'onGone'> {
  readonly settings: OwnerSettings;
  readonly events: Counter;
}

export class Activations {
  readonly #ports: ActivationsPorts;
  readonly #byStream = new Map<StreamId, Promise<Activation>>();
  #live: readonly Activation[] = [];
  #opened = 0;
  #isClosed = false;
  #isDraining = false;

  constructor(ports: ActivationsPorts) {
    this.#ports = ports;
  }

  /** Those that are open. */
  get live(): readonly Activation[] {
    return this.#live;
  }

  /** The streams that this node owns or is about to own. */
  get streams(): readonly StreamId[] {
    return [...this.#byStream.keys()];
  }

  /** Whether a stream is being taken over. */
  get isOpening(): boolean {
    return this.#byStream.size > this.#live.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether this node may take a stream over. */
  get mayTake(): boolean {
    return !this.#isDraining && !this.#isClosed;
  }

  has(stream: StreamId): boolean {
    return this.#byStream.has(stream);
  }

  /** From now on nothing new is claimed (D4). */
  drain(): void {
    this.#isDraining = true;
  }

  /** From now on no stream is activated. */
  close(): void {
    this.#isClosed = true;
  }

  /** Ends every activation, those that are being opened too, each within that time. */
  async end(withinMs: number): Promise<void> {
    const activations = await Promise.allSettled(this.#byStream.values());
    const open = activations.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.all(open.map((activation) => activation.close(withinMs)));
  }

  /** Ends the stream's activation, if there is one. @throws TangazaError when it could not be opened */
  async endOne(stream: StreamId, withinMs: number): Promise<void> {
    const activation = await this.#byStream.get(stream);
    await activation?.close(withinMs);
  }

  /** The activation, if there is one. Waits for one that is being opened (D2). */
  async find(stream: StreamId): Promise<Activation | undefined> {
    const found = await this.#byStream.get(stream)?.catch(() => undefined);
    return found?.isUsable === true ? found : undefined;
  }

  /** @throws TangazaError `STALE_EPOCH` when there is none */
  async active(stream: StreamId): Promise<Activation> {
    const found = await this.find(stream);
    if (found === undefined)
      throw new TangazaError('STALE_EPOCH', `${stream} is not active on this node; attach again.`);
    return found;
  }

  /**
   * The activation; claims the stream when there is none (D1, D2).
   *
   * @throws TangazaError `OVERLOADED` (D3); `UNAVAILABLE` when this node stops or drains; as `claimStream`
   */
  async activate(stream: StreamId, claim: Claim = {}): Promise<Activation> {
    if (this.#isClosed) throw new TangazaError('UNAVAILABLE', 'This node is stopping.');
    const found = this.#byStream.get(stream);
    if (found !== undefined) return found;
    if (this.#byStream.size >= maxActivations) {
      this.#ports.events.add(1, { event: 'refusedStream' });
      throw new TangazaError('OVERLOADED', `This node owns ${maxActivations} streams already.`);
    }
    const opening = this.#open(stream, claim);
    this.#byStream.set(stream, opening);
    opening.catch(() => this.#forget(stream, opening));
    return opening;
  }

  #forget(stream: StreamId, opening: Promise<Activation>): void {
    if (this.#byStream.get(stream) === opening) this.#byStream.delete(stream);
  }

  async #open(stream: StreamId, claim: Claim): Promise<Activation> {
    const { bootId, events, logger, settings } = this.#ports;
    if (this.#isDraining) await this.#refuseNew(stream);
    this.#opened += 1;
    const recordId = `open-${bootId.slice(0, 40)}-${this.#opened}`;
    const taken = await claimStream(stream, { claim, recordId }, this.#ports);
    const { epoch } = taken.self;
    const activation: Activation = new Activation(
      { ...taken, settings },
      {
        ...this.#ports,
        logger: logger.child({ stream, epoch }),
        count: (event, by) => events.add(by, { event }),
        onGone: () => this.#retire(stream, activation),
      },
    );
    this.#live = [...this.#live, activation];
    return activation;
  }

  #retire(stream: StreamId, activation: Activation): void {
    this.#live = this.#live.filter((one) => one !== activation);
    this.#byStream.delete(stream);
  }

  /** Refuses a new stream while draining (D4). @throws TangazaError `NOT_OWNER` that names a living owner; `UNAVAILABLE` */
  async #refuseNew(stream: StreamId): Promise<never> {
    const { ownership, isAlive, node } = this.#ports;
    const { record } = await ownership.get(stream);
    if (record !== undefined && record.owner !== node && isAlive(record.owner, record.bootId))
      throw new TangazaError('NOT_OWNER', `${stream} is owned by ${record.owner}`, {
        data: { owner: record.owner },
      });
    throw new TangazaError('UNAVAILABLE', `${node} is draining: publish to another node.`);
  }
}
