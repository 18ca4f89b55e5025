/**
 * HTTP by hand over connections that stay open, one request at a time on each: a client of a library would cost this machine as much as the
 * node that is measured. It reads what our edges send: answers with a `Content-Length`.
 */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly body: string;
}

export class HttpLines implements Disposable {
  readonly #url: URL;
  readonly #most: number;
  readonly #free: Line[] = [];
  readonly #waiting: ((line: Line) => void)[] = [];
  readonly #open = new Set<Line>();

  constructor(url: string, most: number) {
    this.#url = new URL(url);
    this.#most = most;
  }

  /** @throws Error when the connection ends before the answer */
  async ask(request: Request): Promise<Answer> {
    const line = await this.#take();
    const answer = await line.ask(textOf(request, this.#url.host));
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(line);
    else next(line);
    return answer;
  }

  [Symbol.dispose](): void {
    for (const line of this.#open) line.close();
  }

  /** An edge ends lines that are idle for 30 s. */
  #take(): Line | Promise<Line> {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (!free.isClosed) return free;
      this.#open.delete(free);
    }
    if (this.#open.size >= this.#most) return new Promise((resolve) => this.#waiting.push(resolve));
    const line = new Line(this.#url);
    this.#open.add(line);
    return line;
  }
}

function textOf({ method, path, headers, body }: Request, host: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== '') lines.push(`content-length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const endOfHead = Buffer.from('\r\n\r\n');

class Line {
  isClosed = false;
  readonly #socket: Socket;
  #heard: Buffer = Buffer.alloc(0);
  #settle: PromiseWithResolvers<Answer> | undefined;

  constructor({ hostname, port }: URL) {
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    const end = (error?: Error): void => {
      this.isClosed = true;
      this.#settle?.reject(error ?? new Error('the connection ended'));
    };
    this.#socket.on('error', end);
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => end());
  }

  ask(text: string): Promise<Answer> {
    this.#settle = Promise.withResolvers<Answer>();
    this.#socket.write(text);
    return this.#settle.promise;
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #hear(chunk: Buffer): void {
    this.#heard = this.#heard.length === 0 ? chunk : Buffer.concat([this.#heard, chunk]);
    const end = this.#heard.indexOf(endOfHead);
    if (end === -1) return;
    const head = this.#heard.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const begin = end + endOfHead.length;
    if (this.#heard.length < begin + length) return;
    const body = this.#heard.toString('utf8', begin, begin + length);
    this.#heard = Buffer.alloc(0);
    this.#settle?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}
