/** A node's API as a crowd uses it: guests behind addresses of their own, as a trusted proxy tells them, who comment and read. */
import { z } from 'zod';
import { Guest } from '../../../cluster/contract/api/audience-views.ts';
import { HttpLines } from './http-lines.ts';
import { clientIdAt } from './made-comments.ts';

export interface Author {
  readonly token: string;
  readonly address: string;
}

interface Asking {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export class AudienceApi implements Disposable {
  readonly #lines: HttpLines;
  #readers = 0;

  constructor(url: string, connections: number) {
    this.#lines = new HttpLines(url, connections);
  }

  async createStream(id: string, token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    await this.#ask({ path: '/v1/streams', method: 'POST', headers, body: { id, title: id } });
  }

  /** @param index of the author, who gets an address by it */
  async createAuthor(index: number): Promise<Author> {
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const body = { name: `Author ${index}` };
    const headers = { 'x-forwarded-for': address };
    const reply = await this.#ask({ path: '/v1/guests', method: 'POST', headers, body });
    return { token: Guest.parse(JSON.parse(reply)).token, address };
  }

  async post({ token, address }: Author, stream: string, text: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address };
    const body = { text, clientId: clientIdAt(Date.now()) };
    await this.#ask({ path: `/v1/streams/${stream}/comments`, method: 'POST', headers, body });
  }

  /** @returns how many comments the page has */
  async page(path: string): Promise<number> {
    const reply = await this.#ask({ path, headers: { 'x-forwarded-for': this.#nextReader() } });
    return z.object({ items: z.array(z.unknown()) }).parse(JSON.parse(reply)).items.length;
  }

  /** An address of a crowd, as one network may not read that fast. */
  #nextReader(): string {
    this.#readers += 1;
    return `10.200.${(this.#readers >> 8) & 255}.${this.#readers & 255}`;
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
  }

  /** @throws Error when the answer is none of success, as the figures would mean nothing */
  async #ask({ path, method = 'GET', headers = {}, body }: Asking): Promise<string> {
    const type = { 'content-type': 'application/json' };
    const text = body === undefined ? '' : JSON.stringify(body);
    const answer = await this.#lines.ask({ method, path, headers: { ...headers, ...type }, body: text });
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return answer.body;
  }
}
