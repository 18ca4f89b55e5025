/**
 * Serves objects of this region's store to edges that have a pass: to those of other regions, and to neighbours what the store did not take
 * (R5). It reads this store and this edge's memory alone: no request makes it ask somebody else.
 *
 * Bounds: how many are served at once, and how many wait. Who leaves gives back its place: an asker leaves where another edge was faster.
 */
import { hash } from 'node:crypto';
import { Gate } from '../../../cluster/bounds/gate.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { archivePrefix, parseArchiveKey } from '../../segment-store/archive-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import { jsonReply, messageReply, problemReply, type HttpRequest, type Reply } from '../http/http.ts';
import { parseCrossingPath } from './crossing-paths.ts';
import { regionOfPass } from './object-pass.ts';

export interface DoorPorts {
  readonly clock: Clock;
  readonly store: Pick<SegmentStore, 'get' | 'list'>;
  readonly metrics: Metrics;
  readonly passKey: Buffer;
  /** An object that the store did not take and that is in memory. */
  readonly unstored: (key: string) => Uint8Array | undefined;
}

/** In a reply that carries an archive, whose name does not say its hash. */
export const hashHeader = 'tangaza-sha256';
/** More archives of a stream than this are not told, the oldest ones. */
export const mostArchives = 2000;
const limits = { about: 'objects for other regions', running: 32, waiting: 256 };
const storeMs = 8000;

export class ObjectDoor {
  readonly #ports: DoorPorts;
  readonly #gate: Gate;
  readonly #served: Counter;

  constructor(ports: DoorPorts) {
    this.#ports = ports;
    const waiting = ports.metrics.gauge({
      name: 'tangaza_crossing_waiting_requests',
      help: 'Requests of other edges for objects that wait for their turn; 256 at most.',
    });
    this.#gate = new Gate({ ...limits, onWaiting: (count) => waiting.set(count) });
    this.#served = ports.metrics.counter({
      name: 'tangaza_crossing_served_total',
      help: 'Requests for objects of this region, by the region that asked; none: without a good pass, so refused.',
      labels: ['region'],
    });
  }

  async serve(request: HttpRequest): Promise<Reply> {
    const { clock, passKey } = this.#ports;
    const region = regionOfPass(passKey, request.header('authorization'), request.path, clock.utcMs());
    this.#served.add(1, { region: region ?? 'none' });
    if (region === undefined || request.method !== 'get') return problemReply(noPass());
    const gone = new AbortController();
    request.onAbort(() => gone.abort(new TangazaError('UNAVAILABLE', 'The edge that asked has left.')));
    const { signal } = gone;
    try {
      return await this.#gate.run(() => this.#answer(request.path, signal), signal);
    } catch (error) {
      return problemReply(error);
    }
  }

  async #answer(path: string, gone: AbortSignal): Promise<Reply> {
    const what = parseCrossingPath(path);
    if (what === undefined) throw new TangazaError('NOT_FOUND', 'No such object crosses between regions.');
    if (what.kind === 'archives') return jsonReply(200, await this.#archivesOf(what.stream, gone));
    const { key } = what;
    const body = this.#ports.unstored(key) ?? (await this.#read(key, gone));
    const headers = parseArchiveKey(key) === undefined ? {} : { [hashHeader]: hash('sha256', body) };
    return messageReply(200, 'application/octet-stream', body, headers);
  }

  async #read(key: string, gone: AbortSignal): Promise<Uint8Array> {
    using late = abortAfter(this.#ports.clock, storeMs);
    return await this.#ports.store.get(key, AbortSignal.any([late.signal, gone]));
  }

  /** The keys of a stream's archives. */
  async #archivesOf(stream: StreamId, gone: AbortSignal): Promise<readonly string[]> {
    using late = abortAfter(this.#ports.clock, storeMs);
    const signal = AbortSignal.any([late.signal, gone]);
    const keys: string[] = [];
    for await (const { key } of this.#ports.store.list(archivePrefix(stream), signal)) keys.push(key);
    return keys.slice(-mostArchives);
  }
}

const noPass = (): TangazaError =>
  new TangazaError(
    'UNAUTHENTICATED',
    'Only edges of this cluster read here: viewers have the paths of /openapi.json.',
  );
