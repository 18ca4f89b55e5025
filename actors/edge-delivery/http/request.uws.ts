/**
 * A request of uWebSockets.js that outlives its handler: what may be needed later is copied at once.
 *
 * The native request is gone when the handler returns. The server bounds the headers (32 kB, library.uws.ts); this file bounds the body.
 */
import type { HttpRequest as NativeRequest, HttpResponse } from 'uWebSockets.js';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { HttpRequest } from './http.ts';
import type { HttpLimits } from './http-server.ts';
import type { Conditions } from '../playback/select.ts';

/**
 * A body that nobody wants is read up to this size, so that its sender gets the answer. If the connection were closed earlier, it would be
 * reset.
 */
const maxDroppedBytes = 8 * 1024 * 1024;
const bodiless = new Set(['get', 'head', 'options']);
const utf8 = new TextDecoder();

export class UwsRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly conditions: Conditions;
  isAborted = false;
  readonly #response: HttpResponse;
  readonly #headers = new Map<string, string>();
  readonly #body: BodyReader | undefined;
  #listeners: (() => void)[] = [];
  #remoteAddress: string | undefined;

  constructor(response: HttpResponse, request: NativeRequest, limits: HttpLimits) {
    this.#response = response;
    this.method = request.getMethod();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    request.forEach((name, value) => {
      const before = this.#headers.get(name);
      this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
    });
    this.conditions = conditionsOf((name) => this.header(name));
    const length = this.header('content-length');
    const hasBody = (length !== '' && length !== '0') || this.header('transfer-encoding') !== '';
    if (hasBody && !bodiless.has(this.method))
      this.#body = new BodyReader(response, limits.bodyBytes, length);
  }

  /** The address of the peer, as text; empty once the peer has gone. */
  get remoteAddress(): string {
    if (!this.isAborted) this.#remoteAddress ??= utf8.decode(this.#response.getRemoteAddressAsText());
    return this.#remoteAddress ?? '';
  }

  /** Joins the values of a header that came several times into one list, in their order (RFC 9110 5.3). */
  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  async body(): Promise<Uint8Array> {
    return this.#body === undefined ? new Uint8Array(0) : this.#body.whole;
  }

  onAbort(listener: () => void): void {
    if (this.isAborted) listener();
    else this.#listeners.push(listener);
  }

  /** The client has gone, and the response must not be used again. */
  abort(): void {
    this.isAborted = true;
    this.#body?.giveUp(new TangazaError('BAD_REQUEST', 'The client left before its body was complete.'));
    this.settle((listener) => listener());
  }

  /** The body did not come in time. */
  giveUpOnBody(): void {
    this.#body?.giveUp(new TangazaError('BAD_REQUEST', 'The body did not arrive in time.'));
  }

  /** No listener is called after this. `visit` gets the listeners that there were. */
  settle(visit: (listener: () => void) => void = () => {}): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    listeners.forEach(visit);
  }

  /** Resolves when the sender has sent the body, has sent too much, or has taken too long. */
  async bodyEnd(): Promise<void> {
    await this.#body?.end;
  }

  /** True while more of the body is expected, whether anybody wants it or not. */
  get isBodyUnread(): boolean {
    return this.#body !== undefined && !this.#body.isComplete;
  }
}

export function conditionsOf(header: (name: string) => string): Conditions {
  return {
    range: header('range'),
    ifRange: header('if-range'),
    ifNoneMatch: header('if-none-match'),
    acceptEncoding: header('accept-encoding'),
  };
}

/** Collects a body up to a limit. What comes after that is read and dropped, up to a second limit. */
class BodyReader {
  readonly whole: Promise<Uint8Array>;
  readonly end: Promise<void>;
  isComplete = false;
  #isPending = true;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #resolve: (body: Uint8Array) => void;
  readonly #reject: (error: unknown) => void;
  readonly #ended: () => void;

  constructor(response: HttpResponse, limitBytes: number, contentLength: string) {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.whole = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    promise.catch(() => {}); // possibly nobody has asked for the body
    const ended = Promise.withResolvers<void>();
    this.end = ended.promise;
    this.#ended = ended.resolve;
    const tooLarge = (): TangazaError =>
      new TangazaError('BODY_TOO_LARGE', `A body has ${limitBytes} bytes at most.`);
    if (Number(contentLength) > limitBytes) this.#fail(tooLarge());
    if (Number(contentLength) > maxDroppedBytes) this.#ended();
    response.onData((chunk, isLast) => {
      this.isComplete = isLast;
      this.#bytes += chunk.byteLength;
      if (isLast || this.#bytes > maxDroppedBytes) this.#ended();
      if (!this.#isPending) return;
      if (this.#bytes > limitBytes) return this.#fail(tooLarge());
      this.#chunks.push(new Uint8Array(chunk.slice(0))); // the native buffer is gone when this returns
      if (isLast) this.#finish();
    });
  }

  /** Stops waiting for the rest of the body. */
  giveUp(error: TangazaError): void {
    this.#fail(error);
    this.#ended();
  }

  #fail(error: TangazaError): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    this.#chunks = [];
    this.#reject(error);
  }

  #finish(): void {
    this.#isPending = false;
    this.#resolve(Buffer.concat(this.#chunks));
    this.#chunks = [];
  }
}
