/**
 * Writes replies to uWebSockets.js responses, no faster than their readers take them.
 *
 * Nothing is buffered for a slow reader. What the socket does not take remains a view of the shared, cached body, and is offered again when
 * the socket is writable. `onAborted` keeps one handler only, so the one that is set here replaces the request's.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { Message, Reply, Variant } from './http.ts';
import { head, isEntity } from './http.ts';
import type { HttpLimits } from './http-server.ts';
import { select, type Conditions, type Selection } from '../playback/select.ts';
import type { Traffic } from '../traffic.ts';

const statusLines: Readonly<Record<number, string>> = {
  200: '200 OK',
  201: '201 Created',
  202: '202 Accepted',
  204: '204 No Content',
  206: '206 Partial Content',
  304: '304 Not Modified',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  406: '406 Not Acceptable',
  409: '409 Conflict',
  410: '410 Gone',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  416: '416 Range Not Satisfiable',
  422: '422 Unprocessable Content',
  425: '425 Too Early',
  426: '426 Upgrade Required',
  429: '429 Too Many Requests',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
  504: '504 Gateway Timeout',
  507: '507 Insufficient Storage',
};

/** As bytes, which the library takes as they are. A text would be converted each time. */
const contentType = new TextEncoder().encode('content-type');

/** The parts of a request that decide how its reply is written. */
export interface Asked {
  readonly isHead: boolean;
  readonly conditions: Conditions;
}

interface SlowResponse {
  readonly response: HttpResponse;
  readonly body: Uint8Array;
  readonly startedMs: number;
  progressMs: number;
}

export class Responder {
  readonly #clock: Clock;
  readonly #limits: HttpLimits;
  readonly #traffic: Traffic;
  readonly #slow = new Set<SlowResponse>();
  /** For each body how many slow readers there are, and so what they keep in memory. */
  readonly #pinned = new Map<ArrayBufferLike, number>();
  #isClosing = false;

  constructor(clock: Clock, limits: HttpLimits, traffic: Traffic) {
    this.#clock = clock;
    this.#limits = limits;
    this.#traffic = traffic;
  }

  get openResponses(): number {
    return this.#slow.size;
  }

  /** From now on each response ends its connection. */
  closeConnections(): void {
    this.#isClosing = true;
  }

  /** To be called corked: directly in a handler, or in `response.cork`. */
  send(response: HttpResponse, reply: Reply, asked: Asked): void {
    if (isEntity(reply)) this.#sendSelection(response, select(reply, asked.conditions), asked.isHead);
    else this.#sendMessage(response, reply, asked.isHead);
  }

  /** The shortest way: sends the whole entity to a reader that asked for nothing special. */
  sendWhole(response: HttpResponse, variant: Variant): void {
    this.#traffic.responded(200, variant.body.byteLength);
    response.writeHeader(contentType, variant.head);
    this.#sendBody(response, variant.body);
  }

  /** Cuts off readers that take nothing, or take too long. To be called every few seconds. */
  sweep(): void {
    const nowMs = this.#clock.runningMs();
    const { stalledMs, responseMs } = this.#limits;
    for (const slow of this.#slow) {
      if (nowMs - slow.progressMs <= stalledMs && nowMs - slow.startedMs <= responseMs) continue;
      this.#traffic.refused('stalled');
      slow.response.close();
    }
  }

  #sendSelection(response: HttpResponse, chosen: Selection, isHead: boolean): void {
    switch (chosen.kind) {
      case 'whole':
        if (!isHead) return this.sendWhole(response, chosen.variant);
        this.#traffic.responded(200, 0);
        response.writeHeader(contentType, chosen.variant.head);
        this.#endEmpty(response, chosen.variant.body.byteLength);
        return;
      case 'notModified':
        this.#traffic.responded(304, 0);
        this.#status(response, 304);
        response.writeHeader(contentType, chosen.variant.head);
        this.#endEmpty(response);
        return;
      case 'part': {
        const { start, end, variant } = chosen;
        this.#traffic.responded(206, isHead ? 0 : end - start);
        this.#status(response, 206);
        response.writeHeader(contentType, variant.head);
        response.writeHeader('content-range', `bytes ${start}-${end - 1}/${variant.body.byteLength}`);
        if (isHead) this.#endEmpty(response, end - start);
        else this.#sendBody(response, variant.body.subarray(start, end));
        return;
      }
      default:
        this.#traffic.responded(416, 0);
        this.#status(response, 416);
        response.writeHeader(contentType, unsatisfiableHead);
        response.writeHeader('content-range', `bytes */${chosen.bytes}`);
        if (isHead) this.#endEmpty(response, unsatisfiable.byteLength);
        else response.end(unsatisfiable, this.#isClosing);
    }
  }

  #sendMessage(
    response: HttpResponse,
    { status, head, body, closes = false }: Message,
    isHead: boolean,
  ): void {
    this.#traffic.responded(status, isHead ? 0 : body.byteLength);
    this.#status(response, status);
    response.writeHeader(contentType, head);
    const isLast = closes || this.#isClosing;
    if (isLast) response.writeHeader('connection', 'close');
    if (status === 204) response.endWithoutBody();
    else if (isHead) response.endWithoutBody(body.byteLength, isLast);
    else response.end(body, isLast);
  }

  #status(response: HttpResponse, status: number): void {
    response.writeStatus(statusLines[status] ?? `${status} Unknown`);
  }

  /** The library takes an explicit `undefined` for a length, so without a length the argument must be left out. */
  #endEmpty(response: HttpResponse, length?: number): void {
    if (this.#isClosing) response.writeHeader('connection', 'close');
    if (length === undefined) response.endWithoutBody();
    else response.endWithoutBody(length, this.#isClosing);
  }

  #sendBody(response: HttpResponse, body: Uint8Array): void {
    if (this.#isClosing) response.writeHeader('connection', 'close');
    const [, isDone] = response.tryEnd(body, body.byteLength);
    if (!isDone) this.#sendTheRest(response, body);
  }

  #sendTheRest(response: HttpResponse, body: Uint8Array): void {
    const nowMs = this.#clock.runningMs();
    const slow: SlowResponse = { response, body, startedMs: nowMs, progressMs: nowMs };
    const forget = (): void => this.#forget(slow);
    response.onAborted(() => {
      forget();
      this.#traffic.aborted();
    });
    if (!this.#remember(slow)) {
      this.#traffic.refused('slow');
      response.close();
      return;
    }
    response.onWritable((offset) => {
      slow.progressMs = this.#clock.runningMs();
      const [isTaken, isDone] = response.tryEnd(body.subarray(offset), body.byteLength);
      if (isDone) forget();
      return isTaken;
    });
  }

  #remember(slow: SlowResponse): boolean {
    const { buffer } = slow.body;
    const readers = this.#pinned.get(buffer) ?? 0;
    const bytes = this.#traffic.slowBytes + (readers === 0 ? buffer.byteLength : 0);
    if (this.#slow.size >= this.#limits.slowResponses || bytes > this.#limits.slowBytes) return false;
    this.#slow.add(slow);
    this.#pinned.set(buffer, readers + 1);
    this.#traffic.slowBytes = bytes;
    this.#traffic.slow = this.#slow.size;
    return true;
  }

  #forget(slow: SlowResponse): void {
    if (!this.#slow.delete(slow)) return;
    const { buffer } = slow.body;
    const readers = (this.#pinned.get(buffer) ?? 1) - 1;
    if (readers > 0) this.#pinned.set(buffer, readers);
    else {
      this.#pinned.delete(buffer);
      this.#traffic.slowBytes -= buffer.byteLength;
    }
    this.#traffic.slow = this.#slow.size;
  }
}

const unsatisfiable = new TextEncoder().encode(
  JSON.stringify({
    type: 'https://tangaza.dev/errors/range-not-satisfiable',
    title: 'The range lies outside of the object.',
    status: 416,
    code: 'RANGE_NOT_SATISFIABLE',
  }),
);
const unsatisfiableHead = head('application/problem+json', { 'cache-control': 'no-store' });
