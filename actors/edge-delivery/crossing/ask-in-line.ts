/**
 * Asks edges of other regions for an object, one after the other (R5). The next one is asked once the last one has failed, and also where it
 * has said nothing for 500 ms: an edge may be told as sound and not be reachable over HTTP. Whoever begins to send first goes on, and the
 * others are left, so that a slow link does not carry an object twice.
 *
 * Bounds: each edge is asked once; the time is that of the caller's signal.
 */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { isOverWithin } from '../../../cluster/time/within.ts';

const silentMs = 500;

/** `lacks`: its region does not have the object. */
export type Answer = Uint8Array | 'lacks' | 'failed';

export interface LinePorts {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Never throws. @param onBegin to be called when the edge begins to send the object */
  readonly ask: (source: EdgeElsewhere, signal: AbortSignal, onBegin: () => void) => Promise<Answer>;
  /** The edge has said nothing for 500 ms, or has failed. */
  readonly onSilent: (source: EdgeElsewhere) => void;
}

/** What came of it. */
export interface Line {
  readonly body: Uint8Array | undefined;
  /** The regions that lack the object: their other edges are not asked. */
  readonly lacking: ReadonlySet<RegionId>;
}

/** @throws the signal's reason where it aborts before an edge is asked */
export async function askInLine(
  ports: LinePorts,
  sources: readonly EdgeElsewhere[],
  signal: AbortSignal,
): Promise<Line> {
  const line = new AskedEdges(ports, signal);
  const { lacking } = line;
  try {
    for (const source of sources) {
      signal.throwIfAborted();
      if (lacking.has(source.region)) continue;
      const body = await line.ask(source);
      if (body !== undefined) return { body, lacking };
    }
    return { body: await line.rest(), lacking };
  } finally {
    line.leave();
  }
}

/** One edge that has not answered to the end. */
interface Asked {
  readonly source: EdgeElsewhere;
  readonly leaving: AbortController;
  /** Undefined where it does not give the object. */
  readonly body: Promise<Uint8Array | undefined>;
}

class AskedEdges {
  readonly lacking = new Set<RegionId>();
  readonly #ports: LinePorts;
  readonly #signal: AbortSignal;
  readonly #running = new Map<EdgeElsewhere, Asked>();
  #body: Uint8Array | undefined;
  #sender: EdgeElsewhere | undefined;
  #sends = Promise.withResolvers<void>();

  constructor(ports: LinePorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  /** @returns what this edge or an earlier one gave; undefined where the next one is to be asked */
  async ask(source: EdgeElsewhere): Promise<Uint8Array | undefined> {
    const { clock, onSilent } = this.#ports;
    const { body } = this.#begin(source);
    const said = Promise.race([body, this.#sends.promise]);
    const isSilent = !(await isOverWithin(said, { clock, ms: silentMs }));
    if (isSilent) onSilent(source);
    return this.#given();
  }

  /** Waits for those that have not answered, where their word still counts. */
  async rest(): Promise<Uint8Array | undefined> {
    for (;;) {
      const body = await this.#given();
      const left = [...this.#running.values()].filter(({ source }) => !this.lacking.has(source.region));
      if (body !== undefined || left.length === 0) return body;
      await Promise.race([this.#sends.promise, ...left.map((asked) => asked.body)]);
    }
  }

  /** Asks nobody any more. */
  leave(but?: EdgeElsewhere): void {
    for (const { source, leaving } of this.#running.values()) if (source !== but) leaving.abort();
  }

  /** What the edge gives that sends; undefined where none does. */
  async #given(): Promise<Uint8Array | undefined> {
    return this.#body ?? (this.#sender === undefined ? undefined : this.#running.get(this.#sender)?.body);
  }

  #begin(source: EdgeElsewhere): Asked {
    const leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, this.#signal]);
    const answer = this.#ports.ask(source, signal, () => {
      if (!signal.aborted) this.#send(source);
    });
    const body = answer.then((given) => this.#take(source, given, signal.aborted));
    const asked = { source, leaving, body };
    this.#running.set(source, asked);
    return asked;
  }

  /** The first that sends goes on alone. */
  #send(source: EdgeElsewhere): void {
    this.#sender = source;
    this.leave(source);
    this.#sends.resolve();
  }

  #take(source: EdgeElsewhere, answer: Answer, isLeft: boolean): Uint8Array | undefined {
    this.#running.delete(source);
    if (typeof answer !== 'string') {
      this.#body = answer;
      return answer;
    }
    if (answer === 'lacks') this.lacking.add(source.region);
    else if (!isLeft) this.#ports.onSilent(source);
    if (this.#sender === source) {
      this.#sender = undefined;
      this.#sends = Promise.withResolvers();
    }
    return undefined;
  }
}
