/**
 * Asks edges of other regions for an object, one after the other (R5). The next one is asked once the last one has failed, and also where it
 * has said nothing for 500 ms beyond three round trips: an edge may be told as sound and not be reachable over HTTP. (A connection costs one
 * round trip, TLS another one, the request the third.) Whoever begins to send first goes on, and the
 * others are left, so that a slow link does not carry an object twice. They are asked again where it breaks off.
 *
 * Bounds: an edge that failed or broke off is not asked again. One that was left has not failed: it is asked once more for each that breaks off, so
 * no edge is asked more often than there are edges. The time is that of the caller's signal.
 */
import { isAbsence, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { isOverWithin } from '../../../cluster/time/within.ts';

const defaultSilentMs = 500;
const roundTrips = 3;
const mostRoundTripsMs = 1000;

/** How an edge did not give the object. `silent`: it did not answer, or broke off. `refused`: it answered, with these words. */
export type Fault = { readonly kind: 'silent' } | { readonly kind: 'refused'; readonly words: string };

/** `lacks`: its region does not have the object. */
export type Answer<Body = Uint8Array> =
  | { readonly kind: 'given'; readonly body: Body }
  | { readonly kind: 'lacks' }
  | Fault;

export interface LinePorts<Body = Uint8Array> {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Of the link to that region, as it was measured last. */
  readonly roundTripMs: (region: RegionId) => number | undefined;
  /** For how long an edge may say nothing beyond the round trips; 500 ms where it is absent. */
  readonly silentMs?: number;
  /** Never throws. @param onBegin to be called when the edge begins to send the object */
  readonly ask: (source: EdgeElsewhere, signal: AbortSignal, onBegin: () => void) => Promise<Answer<Body>>;
  /** The edge has said nothing for so long that the next one is asked, or has failed. */
  readonly onFault: (source: EdgeElsewhere, fault: Fault) => void;
}

/** What came of it. */
export interface Line<Body = Uint8Array> {
  readonly body: Body | undefined;
  /** The regions that lack the object: their other edges are not asked. */
  readonly lacking: ReadonlySet<RegionId>;
}

/** @throws the signal's reason where it aborts before an edge is asked */
export async function askInLine<Body>(
  ports: LinePorts<Body>,
  sources: readonly EdgeElsewhere[],
  signal: AbortSignal,
): Promise<Line<Body>> {
  const line = new AskedEdges(ports, sources, signal);
  const { lacking } = line;
  try {
    for (;;) {
      if (line.isAtEnd()) return { body: undefined, lacking };
      await line.goOn();
      const body = await line.given();
      if (body !== undefined) return { body, lacking };
    }
  } finally {
    line.leave();
  }
}

const ofRoundTrips = (roundTripMs = 0): number =>
  Math.min(Math.ceil(roundTrips * roundTripMs), mostRoundTripsMs);

/** What an error of `FetchAcross` says about the object. */
export function answerOfError(error: unknown): Answer<never> {
  if (isAbsence(error)) return { kind: 'lacks' };
  return error instanceof TangazaError ? { kind: 'refused', words: error.message } : { kind: 'silent' };
}

/** One edge that has not answered to the end. */
interface Asked<Body> {
  readonly source: EdgeElsewhere;
  readonly leaving: AbortController;
  /** Undefined where it does not give the object. */
  readonly body: Promise<Body | undefined>;
}

class AskedEdges<Body> {
  readonly lacking = new Set<RegionId>();
  readonly #ports: LinePorts<Body>;
  readonly #signal: AbortSignal;
  /** Are still to be asked. */
  #waiting: readonly EdgeElsewhere[];
  /** Were left for the one that sends. */
  #left: readonly EdgeElsewhere[] = [];
  readonly #running = new Map<EdgeElsewhere, Asked<Body>>();
  #body: Body | undefined;
  #sender: EdgeElsewhere | undefined;
  #sends = Promise.withResolvers<void>();

  constructor(ports: LinePorts<Body>, sources: readonly EdgeElsewhere[], signal: AbortSignal) {
    this.#ports = ports;
    this.#waiting = sources;
    this.#signal = signal;
  }

  /** What the edge gives that sends; undefined where none does. */
  async given(): Promise<Body | undefined> {
    return this.#body ?? (this.#sender === undefined ? undefined : this.#running.get(this.#sender)?.body);
  }

  /** Nobody is left whose word counts. */
  isAtEnd(): boolean {
    return [...this.#waiting, ...this.#running.keys()].every(({ region }) => this.lacking.has(region));
  }

  /** Asks the next one; where there is none, waits for those that have not answered. */
  async goOn(): Promise<void> {
    const isAskable = ({ region }: EdgeElsewhere): boolean => !this.lacking.has(region);
    const [next, ...others] = this.#waiting.filter(isAskable);
    this.#waiting = others;
    if (next !== undefined) return this.#ask(next);
    const running = [...this.#running.values()].filter(({ source }) => isAskable(source));
    await Promise.race([this.#sends.promise, ...running.map(({ body }) => body)]);
  }

  /** Asks nobody any more, or only the one that sends. */
  leave(sender?: EdgeElsewhere): void {
    for (const { source, leaving } of this.#running.values()) {
      if (source === sender) continue;
      this.#running.delete(source);
      this.#left = [...this.#left, source];
      leaving.abort();
    }
  }

  /** Until it has answered, or has been silent, or another one sends. */
  async #ask(source: EdgeElsewhere): Promise<void> {
    this.#signal.throwIfAborted();
    const { clock, roundTripMs, silentMs = defaultSilentMs, onFault } = this.#ports;
    const ms = silentMs + ofRoundTrips(roundTripMs(source.region));
    const said = Promise.race([this.#begin(source), this.#sends.promise]);
    if (!(await isOverWithin(said, { clock, ms }))) onFault(source, { kind: 'silent' });
  }

  #begin(source: EdgeElsewhere): Asked<Body>['body'] {
    const leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, this.#signal]);
    const answer = this.#ports.ask(source, signal, () => {
      if (!signal.aborted) this.#send(source);
    });
    const body = answer.then((given) => (leaving.signal.aborted ? undefined : this.#take(source, given)));
    this.#running.set(source, { source, leaving, body });
    return body;
  }

  /** The first that sends goes on alone. */
  #send(source: EdgeElsewhere): void {
    this.#sender = source;
    this.leave(source);
    this.#sends.resolve();
  }

  #take(source: EdgeElsewhere, answer: Answer<Body>): Body | undefined {
    this.#running.delete(source);
    if (answer.kind === 'given') {
      this.#body = answer.body;
      return answer.body;
    }
    if (answer.kind === 'lacks') this.lacking.add(source.region);
    else if (!this.#signal.aborted) this.#ports.onFault(source, answer);
    if (this.#sender === source) this.#breakOff();
    return undefined;
  }

  /** The one that sent does not give the object: those that were left for it come last. */
  #breakOff(): void {
    this.#sender = undefined;
    this.#sends = Promise.withResolvers();
    this.#waiting = [...this.#waiting, ...this.#left];
    this.#left = [];
  }
}
