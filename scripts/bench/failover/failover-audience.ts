/**
 * An audience for `bench failover --audience`, in a process of its own: sockets at every edge, which come back elsewhere when theirs ends, and
 * guests who comment 20 times a second. Nothing of it is judged here; `tangaza load` does that.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { Guest } from '../../../cluster/contract/api/audience-views.ts';
import { clientIdAt } from '../comments/made-comments.ts';

const Told = z.object({ edges: z.array(z.string()).min(1), stream: z.string(), sockets: z.number() });
type Told = z.infer<typeof Told>;

const commentsPerSecond = 20;
/** An author may comment every 2 s. */
const guests = 60;
const answerMs = 5000;
const backAfterMs = { least: 500, spread: 1000 } as const;
const readyMs = 60_000;
const openedAtOnce = 20;

/** @throws Error when its sockets are not welcome within a minute */
export async function startAudience(told: Told): Promise<AsyncDisposable> {
  const child = fork(import.meta.filename, [JSON.stringify(told)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  await once(child, 'message', { signal: AbortSignal.timeout(readyMs) });
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

class Audience {
  readonly #told: Told;
  #turn = 0;
  welcomed = 0;

  constructor(told: Told) {
    this.#told = told;
  }

  /** Each edge in its turn. */
  edge(): string {
    const { edges } = this.#told;
    this.#turn += 1;
    return edges[this.#turn % edges.length] ?? '';
  }

  watch(): void {
    const url = `${this.edge().replace('http', 'ws')}/v1/streams/${this.#told.stream}/socket`;
    const socket = new WebSocket(url, 'tangaza.v1');
    socket.on('open', () => socket.send('{"type":"hello"}'));
    socket.once('message', () => {
      this.welcomed += 1;
    });
    socket.on('error', () => {}); // it is closed then, too
    socket.on('close', () => {
      setTimeout(() => this.watch(), backAfterMs.least + Math.random() * backAfterMs.spread);
    });
  }

  async comment(token: string, guest: number, number: number): Promise<void> {
    const body = { text: `What a goal, number ${number}!`, clientId: clientIdAt(Date.now()) };
    await this.#post(`/v1/streams/${this.#told.stream}/comments`, guest, body, token);
  }

  async guest(guest: number): Promise<string> {
    const reply = await this.#post('/v1/guests', guest, { name: `Guest ${guest}` });
    return Guest.parse(await reply.json()).token;
  }

  #post(path: string, guest: number, body: object, token?: string): Promise<Response> {
    return fetch(`${this.edge()}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': `10.9.0.${guest + 1}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    });
  }
}

async function run(told: Told): Promise<void> {
  const audience = new Audience(told);
  const tokens: string[] = [];
  for (let guest = 0; guest < guests; guest += 1) tokens.push(await audience.guest(guest));
  for (let socket = 0; socket < told.sockets; socket += 1) {
    audience.watch();
    if (socket % openedAtOnce === 0) await delay(openedAtOnce);
  }
  while (audience.welcomed < told.sockets) await delay(50);
  process.send?.('ready');
  for (let number = 0; ; number += 1) {
    const guest = number % guests;
    // An edge that has just died takes none; the next comment goes elsewhere.
    audience.comment(tokens[guest] ?? '', guest, number).catch(() => {});
    await delay(1000 / commentsPerSecond);
  }
}

if (process.argv[1] === import.meta.filename) {
  process.on('disconnect', () => process.exit(0));
  await run(Told.parse(JSON.parse(process.argv[2] ?? '')));
}
