/** The mutations of the fuzzer, message by message and byte by byte. Each is a pure function of a random generator. */
import amf from 'node-media-server/src/protocol/amf.js';
import { messageTypes } from '../../actors/ingest/rtmp/rtmp-chunks.ts';
import type { Random } from '../simulation/random.ts';
import { command, control, type Message } from './session.ts';

/** The messages under mutation. Touched messages and the first ones are chosen more often, as faults come from combinations. */
class Draft {
  readonly messages: Message[];
  readonly random: Random;
  readonly #touched = new Set<Message>();

  constructor(messages: readonly Message[], random: Random) {
    this.messages = [...messages];
    this.random = random;
  }

  /** @returns a place; 0 in an empty draft */
  place(): number {
    const { random, messages } = this;
    const kind = random.next();
    if (kind < 0.4) {
      const touched = random.pick([...this.#touched]);
      if (touched !== undefined) return Math.max(0, messages.indexOf(touched));
    }
    return random.below(kind < 0.7 ? Math.min(12, messages.length) : messages.length);
  }

  change(how: (message: Message) => Partial<Message>): void {
    const at = this.place();
    const message = this.messages[at];
    if (message === undefined) return;
    const changed = { ...message, ...how(message) };
    this.messages[at] = changed;
    this.#touched.add(changed);
  }

  insert(...more: readonly Message[]): void {
    this.messages.splice(this.place(), 0, ...more);
    for (const message of more) this.#touched.add(message);
  }

  some(most: number, from: readonly Message[] = this.messages): readonly Message[] {
    const start = this.random.below(from.length);
    return from.slice(start, start + 1 + this.random.below(most));
  }
}

type Mutation = (draft: Draft, random: Random, others: readonly Message[]) => void;

const oddNumbers = [
  0,
  1,
  2,
  127,
  128,
  255,
  0xff_ff,
  0xff_ff_fe,
  0xff_ff_ff,
  0x1_00_00_00,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const odd = (random: Random): number => random.pick(oddNumbers) ?? 0;
const noise = (random: Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));

function flipped(body: Buffer, random: Random, within = body.length): Buffer {
  const bytes = Buffer.from(body);
  const count = 1 + random.below(4);
  for (let flip = 0; flip < count && bytes.length > 0; flip += 1)
    bytes.writeUInt8(random.below(256), random.below(Math.min(within, bytes.length)));
  return bytes;
}

/** Replaces four bytes, which may be the length of a NAL unit or anything else, by another number. */
function withLength(body: Buffer, random: Random): Buffer {
  if (body.length < 9) return body;
  const bytes = Buffer.from(body);
  const at = random.chance(0.7) ? 5 : random.below(body.length - 4);
  bytes.writeUInt32BE(random.chance(0.5) ? odd(random) : random.below(body.length * 2), at);
  return bytes;
}

const commandNames = [
  ...[
    'connect',
    'createStream',
    'releaseStream',
    'FCPublish',
    'FCUnpublish',
    'publish',
    'play',
    'closeStream',
  ],
  ...['deleteStream', 'close', '_checkbw', 'getStreamLength', '_result', 'onStatus', 'nobodyKnowsThis', ''],
];
const values: readonly unknown[] = [
  null,
  undefined,
  0,
  1,
  -1,
  Number.NaN,
  1e300,
  'x',
  '',
  true,
  { app: 'live' },
  {},
];

function anyCommand(random: Random): Message {
  const more = Array.from({ length: random.below(4) }, () => random.pick(values));
  const made = command(random.below(4), random.pick(commandNames), random.pick([0, 1, 5, -1, 1.5]), ...more);
  if (random.chance(0.7)) return made;
  return { ...made, type: messageTypes.commandAmf3, body: Buffer.concat([Buffer.of(0), made.body]) };
}

function anyAmf(random: Random): Message {
  const isAmf3 = random.chance(0.5);
  const name = amf.amf0Encode([random.chance(0.7) ? 'onMetaData' : '@setDataFrame']);
  const value = Buffer.concat([Buffer.of(isAmf3 ? 17 : random.below(18)), noise(random, 60)]);
  const type = isAmf3 ? messageTypes.dataAmf3 : messageTypes.dataAmf0;
  return { chunkStream: 4, type, streamId: 1, timestampMs: 0, body: Buffer.concat([name, value]) };
}

function anyControl(random: Random): Message {
  const type = 1 + random.below(6);
  const value = random.chance(0.6) ? odd(random) : 1 + random.below(200);
  return control(type, value, ...noise(random, 6));
}

/** Puts FLV tags into one message of type 22. */
function aggregate(messages: readonly Message[], random: Random): Message {
  const tags = messages.map(({ type, timestampMs, body }) => {
    const header = Buffer.alloc(11);
    header.writeUInt8(type & 0xff, 0);
    header.writeUIntBE(
      random.chance(0.1) ? random.below(0xff_ff_ff) : Math.min(body.length, 0xff_ff_ff),
      1,
      3,
    );
    header.writeUIntBE(timestampMs & 0xff_ff_ff, 4, 3);
    return Buffer.concat([header, body, Buffer.alloc(4)]);
  });
  const [first] = messages;
  const place = { chunkStream: 6, streamId: 1, timestampMs: first?.timestampMs ?? 0 };
  return { ...place, type: messageTypes.aggregate, body: Buffer.concat(tags) };
}

const pieces: readonly Mutation[] = [
  (draft, random) => void draft.messages.splice(draft.place(), 1 + random.below(5)),
  (draft) => draft.insert(...draft.some(20)),
  (draft) => draft.insert(...draft.messages.splice(draft.place(), 1)),
  (draft, random) => random.chance(0.2) && draft.messages.splice(draft.place()),
  (draft, random) => draft.insert(anyControl(random)),
  (draft, random) => draft.insert(anyCommand(random)),
  (draft, random) => draft.insert(anyAmf(random)),
  (draft, _random, others) => draft.insert(...draft.some(30, others)),
  (draft, random) =>
    draft.insert(aggregate(draft.messages.splice(draft.place(), 1 + random.below(10)), random)),
];

const contents: readonly Mutation[] = [
  (draft, random) => draft.change(({ body }) => ({ body: body.subarray(0, random.below(body.length + 1)) })),
  (draft, random) => draft.change(({ body }) => ({ body: Buffer.concat([body, noise(random, 300)]) })),
  (draft, random) => draft.change(({ body }) => ({ body: flipped(body, random) })),
  (draft, random) => draft.change(({ body }) => ({ body: flipped(body, random, 12) })),
  (draft, random) => draft.change(({ body }) => ({ body: withLength(body, random) })),
  (draft, random) => draft.change(() => ({ body: noise(random, 400) })),
  (draft) => draft.change(({ body }) => ({ body: Buffer.concat(Array.from({ length: 50 }, () => body)) })),
  (draft, random) =>
    draft.change(() => ({ type: random.pick([8, 9, 15, 18, 22, 16, random.below(256)]) ?? 8 })),
  (draft, random) => draft.change(() => ({ streamId: random.pick([0, 2, 7, odd(random)]) ?? 0 })),
  (draft, random) => draft.change(() => ({ chunkStream: 4 + random.below(60) })),
  (draft, random) =>
    draft.change(({ body }) => ({ claimedBytes: random.chance(0.5) ? odd(random) : body.length + 1 })),
];

const times: readonly Mutation[] = [
  (draft, random) => draft.change(() => ({ timestampMs: odd(random) })),
  (draft, random) =>
    draft.change(({ timestampMs }) => ({
      timestampMs: Math.round(timestampMs + random.between(-20_000, 20_000)) >>> 0,
    })),
  // From one place on, the session continues as another encoder's.
  (draft, random) => {
    const from = draft.place();
    const byMs = odd(random);
    for (const [index, message] of draft.messages.entries())
      if (index >= from)
        draft.messages[index] = { ...message, timestampMs: (message.timestampMs + byMs) % 2 ** 32 };
  },
  // The timestamps stand still, crawl or race.
  (draft, random) => {
    const pace = random.pick([0, 0.1, 2, 50]) ?? 0;
    for (const [index, message] of draft.messages.entries())
      draft.messages[index] = { ...message, timestampMs: Math.round(message.timestampMs * pace) % 2 ** 32 };
  },
];

const mostMutations = 8;

/** Applies some mutations. The original stays as it is. */
export function mutated(
  messages: readonly Message[],
  others: readonly Message[],
  random: Random,
): readonly Message[] {
  const draft = new Draft(messages, random);
  const count = 1 + random.below(mostMutations);
  for (let index = 0; index < count && draft.messages.length > 0; index += 1) {
    const kind = random.next();
    const mutations = kind < 0.4 ? pieces : kind < 0.85 ? contents : times;
    random.pick(mutations)?.(draft, random, others);
  }
  return draft.messages;
}

/** Damage below the messages: in one of four cases bytes are cut off, flipped or inserted. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  if (random.chance(0.75)) return bytes;
  const at = random.below(bytes.length);
  switch (random.below(3)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return flipped(bytes, random);
    default:
      return Buffer.concat([bytes.subarray(0, at), noise(random, 200), bytes.subarray(at)]);
  }
}
