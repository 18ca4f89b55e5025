/** Events between the feeds of one process: the second implementation of their port, with a network that may lose, double and delay. */
import {
  eventText,
  readEvent,
  type AudienceEvent,
  type AudienceEvents,
  type EventListener,
} from '../../../actors/comments/feed/audience-events.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';

type Deliver = () => void;

/** Carries what is said to all that listen, at once. */
export class MemoryNetwork {
  readonly #listeners = new Map<StreamId, Set<EventListener>>();
  /** What becomes of an event that is on its way to one listener; by default it arrives at once. */
  route: (deliver: Deliver) => void = (deliver) => deliver();

  open(): MemoryAudienceEvents {
    return new MemoryAudienceEvents(this);
  }

  say(stream: StreamId, text: string): void {
    for (const listener of this.#listeners.get(stream) ?? [])
      this.route(() => listener.hear(readEvent(text, stream)));
  }

  add(stream: StreamId, listener: EventListener): () => void {
    const all = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, all);
    all.add(listener);
    return () => all.delete(listener);
  }
}

export class MemoryAudienceEvents implements AudienceEvents {
  readonly #network: MemoryNetwork;
  readonly #backListeners = new Set<() => void>();
  #downMs = 0;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  publish(stream: StreamId, event: AudienceEvent): boolean {
    if (this.#downMs > 0) return false;
    this.#network.say(stream, eventText(event));
    return true;
  }

  listen(stream: StreamId, listener: EventListener) {
    const stop = this.#network.add(stream, {
      hear: (event) => {
        if (this.#downMs === 0) listener.hear(event);
      },
    });
    return { isListening: Promise.resolve(this.#downMs === 0), stop };
  }

  downMs = (): number => this.#downMs;

  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener);
    return () => this.#backListeners.delete(listener);
  }

  /** NATS goes away, or comes back. */
  setDown(isDown: boolean): void {
    const wasDown = this.#downMs > 0;
    this.#downMs = isDown ? 1 : 0;
    if (wasDown && !isDown) for (const listener of this.#backListeners) listener();
  }
}
