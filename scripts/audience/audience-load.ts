/**
 * Simulated users who watch and comment at several edges, for as long as their load lasts; then what they went through is judged.
 *
 * Some have a live socket, and half of these comment over it; the others have none and comment by HTTP. All look back now and then, like
 * what they saw lately and the first comment of all, take likes back, and some hide what they said. In the end the load waits until everybody has heard everything, within a bound, and then reads all of it at each edge.
 *
 * Bounds: users and rate by the options, the history by its recorder. A full history ends the load.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../cluster/time/clock.ts';
import { makeGuest } from './audience-client.http.ts';
import { checkHistory, type HistoryReport } from './check-history.ts';
import type { History, Read } from './history.ts';
import type { Place } from './place.ts';
import { Recorder, seenOf } from './recorder.ts';
import { SimulatedUser } from './simulated-user.ts';
import type { AudienceClient } from './user-ports.ts';

export interface LoadOptions {
  readonly stream: string;
  /** URLs without a path. */
  readonly edges: readonly string[];
  /** The same edges by region: each user stays in one. By default all are of one region. */
  readonly regions?: readonly (readonly string[])[];
  /** How long after its acknowledgement a hide must be everywhere. By default 10 s. */
  readonly hideWithinMs?: number;
  /** How many have a live socket. */
  readonly watchers: number;
  /** How many only comment. */
  readonly writers: number;
  /** Comments of all of them together. */
  readonly perSecond: number;
  /** Each seems to come from an address of its own; for edges that trust this machine as a proxy. */
  readonly hasAddresses: boolean;
  /** How long after the last answer all counts of likes must be right. By default 5 s. */
  readonly likesWithinMs?: number;
}

export interface AudienceLoad extends AsyncDisposable {
  /** So far. */
  readonly counts: { readonly sent: number; readonly acknowledged: number };
  readonly isFull: boolean;
  readonly history: History;
  /** Nobody says any more. Waits until everybody has heard everything, reads all of it at each edge, and judges. */
  end(): Promise<HistoryReport>;
}

const tickMs = 100;
const lookBackEveryMs = 3000;
const hideEveryMs = 1000;
const likeEveryMs = 200;
const settleWithinMs = 45_000;
const readWithinMs = 30_000;
/** They are counted within a second, told to all nodes, and good for 2 s. */
const likesWithinMs = 5000;
/** A hide is everywhere within a second (A12), on a machine that is not starved. */
const hideGraceMs = 10_000;
const pageLimit = 200;
const guestAttempts = 20;
const guestPauseMs = 500;

/** @throws Error when no edge gives its users a token */
export async function startLoad(options: LoadOptions, clock: Clock): Promise<AudienceLoad> {
  const recorder = new Recorder(clock);
  const clients = await makeClients(options, clock);
  const run = randomBytes(3).toString('hex');
  const users = clients.map((client, index) => {
    const isWatching = index < options.watchers;
    const { regions = [options.edges], stream } = options;
    const edges = regions[index % regions.length] ?? options.edges;
    const first = Math.floor(index / regions.length);
    const user = { name: `${run}-u${index}`, stream, edges, first };
    const way = isWatching && first % 2 === 0 ? 'socket' : 'http';
    return new SimulatedUser(
      { ...user, isWatching, way },
      { client, clock, recorder, random: Math.random, randomBytes },
    );
  });
  const startedAtMs = clock.utcMs();
  const load = new Load(users, { options, clock, recorder });
  const stop = clock.every(tickMs, () => load.tick());
  return {
    get counts() {
      return { sent: recorder.sent, acknowledged: recorder.acknowledged.size };
    },
    get isFull() {
      return recorder.isFull;
    },
    history: recorder.history,
    end: async () => {
      load.isSaying = false;
      await load.settle();
      await clock.sleep(options.likesWithinMs ?? likesWithinMs);
      for (const user of users) user.end();
      stop();
      const reading = { options, clock, recorder, sinceMs: startedAtMs - 10_000 };
      for (const edge of options.edges) await readAll(edge, clients[0], reading);
      if (recorder.hasHoles)
        throw new Error('the history grew too long to be judged: fewer users, or a shorter load');
      return checkHistory(recorder.history, { hideGraceMs: options.hideWithinMs ?? hideGraceMs });
    },
    [Symbol.asyncDispose]: async () => {
      stop();
      for (const user of users) user.end();
    },
  };
}

async function makeClients(options: LoadOptions, clock: Clock): Promise<readonly AudienceClient[]> {
  const { edges, stream, watchers, writers, hasAddresses } = options;
  const clients: AudienceClient[] = [];
  for (let index = 0; index < watchers + writers; index += 1) {
    const edge = edges[index % edges.length] ?? '';
    const address = hasAddresses ? `10.20.${Math.floor(index / 200)}.${(index % 200) + 1}` : undefined;
    const make = () => makeGuest(edge, { stream, name: `User ${index}`, address });
    clients.push(await tryAgain(make, clock));
  }
  return clients;
}

/** Guests are limited by address: who waits gets one. */
async function tryAgain<T>(make: () => Promise<T>, clock: Clock): Promise<T> {
  for (let attempt = 1; attempt < guestAttempts; attempt += 1) {
    try {
      return await make();
    } catch {
      await clock.sleep(guestPauseMs);
    }
  }
  return make();
}

interface LoadParts {
  readonly options: LoadOptions;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

class Load {
  readonly #users: readonly SimulatedUser[];
  readonly #parts: LoadParts;
  isSaying = true;
  #ticks = 0;
  #owed = 0;
  #speaker = 0;
  #likes = 0;

  constructor(users: readonly SimulatedUser[], parts: LoadParts) {
    this.#users = users;
    this.#parts = parts;
  }

  tick(): void {
    const { options, recorder } = this.#parts;
    this.#ticks += 1;
    for (const user of this.#users) user.tick();
    if (!this.isSaying || recorder.isFull) return;
    this.#owed += (options.perSecond * tickMs) / 1000;
    for (; this.#owed >= 1; this.#owed -= 1) this.#nextSpeaker()?.say();
    const lookBackTicks = lookBackEveryMs / tickMs;
    this.#users.forEach((user, index) => {
      if ((this.#ticks + index) % lookBackTicks === 0) void user.lookBack();
    });
    if (this.#ticks % (hideEveryMs / tickMs) === 0)
      void this.#users[this.#ticks % this.#users.length]?.hideOne();
    if (this.#ticks % (likeEveryMs / tickMs) === 0) this.#nextLiker();
  }

  /** Every second one is of the first comment, so that many like one. */
  #nextLiker(): void {
    this.#likes += 1;
    const [first] = this.#parts.recorder.acknowledged;
    void this.#users[this.#likes % this.#users.length]?.like(this.#likes % 2 === 0 ? first : undefined);
  }

  /** Waits until everybody has heard everything, within a bound. */
  async settle(): Promise<void> {
    const { clock, recorder } = this.#parts;
    const untilMs = clock.monotonicMs() + settleWithinMs;
    while (!this.#isSettled(recorder.acknowledged) && clock.monotonicMs() < untilMs)
      await clock.sleep(tickMs);
  }

  #isSettled(acknowledged: ReadonlySet<string>): boolean {
    const ids = [...acknowledged];
    return this.#users.every(
      (user) => user.isAtRest && (!user.isWatching || ids.every((id) => user.knows(id))),
    );
  }

  #nextSpeaker(): SimulatedUser | undefined {
    this.#speaker = (this.#speaker + 1) % this.#users.length;
    return this.#users[this.#speaker];
  }
}

/** All that there is at an edge. One that does not answer within the bound is left out. */
async function readAll(
  edge: string,
  client: AudienceClient | undefined,
  { clock, recorder, sinceMs }: LoadParts & { readonly sinceMs: number },
): Promise<void> {
  if (client === undefined) return;
  const untilMs = clock.monotonicMs() + readWithinMs;
  while (clock.monotonicMs() < untilMs) {
    const askedAtMs = recorder.nowMs;
    try {
      const items = await allPages(edge, client, sinceMs);
      const from: Place = { createdAtMs: sinceMs, id: '\uffff' };
      const read: Omit<Read, 'atMs'> = {
        kind: 'read',
        user: `reader of ${edge}`,
        edge,
        askedAtMs,
        order: 'oldestFirst',
        from,
        hasMore: false,
        items,
        isLast: true,
      };
      return recorder.note(read);
    } catch {
      await clock.sleep(guestPauseMs);
    }
  }
}

async function allPages(edge: string, client: AudienceClient, sinceMs: number): Promise<Read['items']> {
  const items: Read['items'][number][] = [];
  let after: string | undefined = new Date(sinceMs).toISOString();
  while (after !== undefined) {
    const page = await client.list(edge, { after, limit: pageLimit });
    items.push(...page.items.map(seenOf));
    after = page.items.length === 0 ? undefined : page.nextCursor;
  }
  return items;
}
