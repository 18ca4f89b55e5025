/**
 * Fuzzes the ingest with knowledge of its structure: real sessions of publishers, mutated from a seed, against its parsers and a real
 * listener.
 *
 * A case is a number. With the seed it determines the feed, the mutations and the bytes. Each case goes through the chunk reader and the
 * core of a session; every tenth also goes over a socket to a real listener. A case fails by an exception that is no refusal, a refusal
 * without a reason, a session or connection that does not end, a key in the log, or memory that is not freed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../simulation/random.ts';
import { makeFeed } from '../../test/support/media/media-feed.ts';
import { damaged, mutated } from './mutations.ts';
import { bytesOf, mediaOf, sessionOf, wireOf, type Message } from './session.ts';
import { fuzzChunks, fuzzSession, WireTarget } from './targets.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Ends with the case that is then under way. */
  readonly seconds: number;
  /** Runs only this case. */
  readonly only?: number;
  readonly onProgress?: (cases: number, heapBytes: number) => void;
}

export interface FuzzFinding {
  readonly case: number;
  readonly error: string;
}

export interface FuzzResult {
  readonly cases: number;
  readonly wireCases: number;
  readonly findings: readonly FuzzFinding[];
}

const wireEvery = 10;
const casesPerRig = 500;
/** How much memory may stay in use after a rig, once everything had its turn. */
const maxGrowthBytes = 64 * 1024 * 1024;
const warmRigs = 3;
const maxFindings = 10;
const caseSeeds = 2 ** 21;

/** Feeds of every accepted codec, and of one track alone. They are the same in each run with one ffmpeg. */
export async function fuzzFeeds(): Promise<Feeds> {
  const size = '160x90';
  const feeds = await Promise.all([
    makeFeed({ seconds: 6, size, bFrames: 2 }),
    makeFeed({ seconds: 4, size, codec: 'hevc' }),
    makeFeed({ seconds: 4, size, codec: 'av1' }),
    makeFeed({ seconds: 8, video: false }),
    makeFeed({ seconds: 4, size, audio: false }),
  ]);
  return feeds.map(mediaOf);
}

export async function fuzz(feeds: Feeds, options: FuzzOptions): Promise<FuzzResult> {
  const run = new FuzzRun(feeds, options);
  const note = (error: unknown): void => run.note(error);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  try {
    while (run.goesOn) await run.oneRig();
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note);
  }
  return run.result();
}

type Feeds = readonly (readonly Message[])[];

class FuzzRun {
  readonly #feeds: Feeds;
  readonly #options: FuzzOptions;
  readonly #endMs: number;
  readonly #findings: FuzzFinding[] = [];
  readonly #heaps: number[] = [];
  #cases = 0;
  #wireCases = 0;

  constructor(feeds: Feeds, options: FuzzOptions) {
    this.#feeds = feeds;
    this.#options = options;
    this.#endMs = performance.now() + options.seconds * 1000;
  }

  get goesOn(): boolean {
    if (this.#findings.length >= maxFindings) return false;
    return this.#options.only === undefined ? performance.now() < this.#endMs : this.#cases === 0;
  }

  get #number(): number {
    return this.#options.only ?? this.#cases;
  }

  note(error: unknown): void {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#findings.push({ case: this.#number, error: told });
  }

  /** Runs a listener of its own, and checks what it leaves in memory. */
  async oneRig(): Promise<void> {
    {
      await using target = await WireTarget.open();
      if (this.#cases === 0) await this.#checkHealthy(target);
      for (let step = 0; step < casesPerRig && this.goesOn; step += 1) await this.#step(target);
    }
    this.#heaps.push(await heapBytes());
    this.#options.onProgress?.(this.#cases, this.#heaps.at(-1) ?? 0);
  }

  async #checkHealthy(target: WireTarget): Promise<void> {
    const random = new Random(this.#options.seed);
    await target.takesHealthy(this.#feeds[0] ?? [], random).catch((error: unknown) => this.note(error));
  }

  async #step(target: WireTarget): Promise<void> {
    const number = this.#number;
    const isOnWire = this.#options.only !== undefined || number % wireEvery === 0;
    const one = { seed: this.#options.seed, number, target: isOnWire ? target : undefined };
    await oneCase(this.#feeds, one).catch((error: unknown) => this.note(error));
    this.#cases += 1;
    if (isOnWire) this.#wireCases += 1;
  }

  result(): FuzzResult {
    const [base = 0] = this.#heaps.slice(warmRigs);
    const grownBytes = (this.#heaps.at(-1) ?? 0) - base;
    if (this.#heaps.length > 2 * warmRigs && grownBytes > maxGrowthBytes)
      this.note(new Error(`${Math.round(grownBytes / 2 ** 20)} MiB stay taken`));
    return { cases: this.#cases, wireCases: this.#wireCases, findings: this.#findings };
  }
}

interface Case {
  readonly seed: number;
  readonly number: number;
  readonly target: WireTarget | undefined;
}

async function oneCase(
  feeds: readonly (readonly Message[])[],
  { seed, number, target }: Case,
): Promise<void> {
  const random = new Random(seed * caseSeeds + number);
  const media = random.pick(feeds) ?? [];
  const others = random.pick(feeds) ?? [];
  const start = random.chance(0.8) ? 0 : random.below(media.length);
  const feed = media.slice(start, start + 50 + random.below(media.length));
  fuzzSession(mutated(feed, others, random), random);
  const { handshake, messages } = sessionOf(feed, `key-fuzz-${number}`);
  const session = { handshake, messages: mutated(messages, others, random) };
  const bytes = damaged(bytesOf(session, wireOf(random), random), random);
  fuzzChunks(bytes.subarray(handshake.length), random);
  if (target === undefined) return;
  await target.send(bytes, random);
  await target.settled();
}

/** After a garbage collection. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  await new Promise((resolve) => void setTimeout(resolve, 50));
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}
