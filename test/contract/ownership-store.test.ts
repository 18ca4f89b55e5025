/** The contract of the ownership-record port, held by the JetStream bucket, by what remembers it, and by the store in memory that tests use. */
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId, RegionId, StreamId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { OwnershipMemory } from '../../cluster/ownership/known-ownership.ts';
import { openNatsOwnershipStore } from '../../cluster/ownership/ownership-store.nats.ts';
import type { OwnershipRecord, OwnershipStore } from '../../cluster/ownership/ownership-store.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { startNats } from '../support/cluster/start-nats.ts';
import { MemoryOwnershipStore } from '../support/ports/stores/memory-ownership-store.ts';

type Watch = () => AsyncIterable<readonly [StreamId, OwnershipRecord]>;

interface Opened {
  /** Two openings of one new store, as two nodes of a region have them. */
  readonly stores: readonly [OwnershipStore, OwnershipStore];
  /** Of another opening; undefined where the implementation has none. */
  readonly watch: Watch | undefined;
  readonly close: () => void;
}

interface Subject extends AsyncDisposable {
  open(): Promise<Opened>;
}

async function natsSubject(remembered: boolean): Promise<Subject> {
  const nats = await startNats({ jetstream: true });
  const connections = [await connect({ servers: nats.url }), await connect({ servers: nats.url })] as const;
  let regions = 0;
  return {
    open: async () => {
      const region = RegionId.parse(`r${(regions += 1)}`);
      const [one, other] = connections;
      const kept = [
        await openNatsOwnershipStore({ connection: one, region, logger: silentLogger }),
        await openNatsOwnershipStore({ connection: other, region, logger: silentLogger }),
      ] as const;
      const memoryOf = (store: (typeof kept)[0]) =>
        new OwnershipMemory({ store, clock, isDown: () => false });
      return {
        stores: remembered ? [memoryOf(kept[0]), memoryOf(kept[1])] : kept,
        watch: remembered ? undefined : () => kept[1].watch(),
        close: () => kept.forEach((store) => store.close()),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await nats[Symbol.asyncDispose]();
    },
  };
}

const memorySubject = async (): Promise<Subject> => ({
  open: async () => {
    const store = new MemoryOwnershipStore();
    return { stores: [store, store], watch: () => store.watch(), close: () => store.close() };
  },
  [Symbol.asyncDispose]: async () => {},
});

const stream = StreamId.parse('demo');
const another = StreamId.parse('other');
const record = (node: string, epoch: number, change: Partial<OwnershipRecord> = {}): OwnershipRecord => ({
  owner: NodeId.parse(node),
  region: RegionId.parse('eu'),
  bootId: BootId.parse('b1'),
  epoch: Epoch.parse(epoch),
  since: '2026-11-24T00:00:00.000Z',
  reason: 'test',
  ...change,
});
const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => 'none', errorCodeOf);

describe.each([
  ['JetStream', () => natsSubject(false)],
  ['JetStream, remembered', () => natsSubject(true)],
  ['memory', memorySubject],
])('the ownership store in %s', (_, start) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(() => subject[Symbol.asyncDispose]());

  async function open(): Promise<Opened & Disposable> {
    const opened = await subject.open();
    return { ...opened, [Symbol.dispose]: opened.close };
  }

  test('writes a record once for each revision, the first one included', async () => {
    using opened = await open();
    const [store, other] = opened.stores;
    expect(await store.get(stream)).toEqual({ record: undefined, revision: 0 });
    const first = await store.put(stream, record('n1', 1), 0);
    expect(await codeOf(other.put(stream, record('n2', 2), 0))).toBe('CONFLICT');
    const second = await other.put(stream, record('n2', 2), first);
    expect(second).toBeGreaterThan(first);
    expect(await codeOf(store.put(stream, record('n1', 3), first))).toBe('CONFLICT');
    expect(await store.get(stream)).toEqual({ record: record('n2', 2), revision: second });
  });

  test('lets one of many that claim a vacant stream at once win', async () => {
    using opened = await open();
    const claims = Array.from({ length: 10 }, (__, index) =>
      codeOf((opened.stores[index % 2] ?? opened.stores[0]).put(stream, record(`n${index}`, 1), 0)),
    );
    const outcomes = await Promise.all(claims);
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 9 }, () => 'CONFLICT'), 'none']);
  });

  test('keeps streams apart, and lists all of them with the latest record of each', async () => {
    using opened = await open();
    const [store, other] = opened.stores;
    expect(await store.list()).toEqual({ records: new Map(), unreadable: [] });
    const first = await store.put(stream, record('n1', 1), 0);
    await other.put(another, record('n2', 1, { endedAt: '2026-11-25T00:00:00.000Z' }), 0);
    await store.put(stream, record('n1', 2), first);
    const records = new Map([
      [another, record('n2', 1, { endedAt: '2026-11-25T00:00:00.000Z' })],
      [stream, record('n1', 2)],
    ]);
    expect(await other.list()).toEqual({ records, unreadable: [] });
  });

  test('a watch tells what is there, then each change, and ends with the store', async () => {
    using opened = await open();
    if (opened.watch === undefined) return;
    const [store] = opened.stores;
    const first = await store.put(stream, record('n1', 1), 0);
    const seen: (readonly [StreamId, number])[] = [];
    for await (const [id, { epoch }] of opened.watch()) {
      seen.push([id, epoch]);
      if (seen.length === 1) await store.put(stream, record('n2', 2), first);
      else opened.close();
    }
    expect(seen).toEqual([
      [stream, 1],
      [stream, 2],
    ]);
  });
});
