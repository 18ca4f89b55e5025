/** The contract of the index-log port, held by JetStream and by the log in memory that tests use. */
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { RegionId, StreamId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import { openNatsIndexLog } from '../../cluster/log/index-log.nats.ts';
import { followLog } from '../support/ports/log-follower.ts';
import { MemoryIndexLog } from '../support/ports/memory-index-log.ts';
import { clockRecord, endRecord, openRecord } from '../support/ports/records.ts';
import { startNats } from '../support/cluster/start-nats.ts';

interface Subject extends AsyncDisposable {
  /** Two openings of one log, as two nodes of a region have them; another log at each call. */
  open(): Promise<readonly [IndexLog, IndexLog]>;
}

async function natsSubject(): Promise<Subject> {
  const nats = await startNats({ jetstream: true });
  const connections = [await connect({ servers: nats.url }), await connect({ servers: nats.url })] as const;
  let regions = 0;
  return {
    open: async () => {
      const region = RegionId.parse(`r${(regions += 1)}`);
      const common = { region, metrics: noMetrics, logger: silentLogger };
      const [one, other] = connections;
      return [
        await openNatsIndexLog({ connection: one, ...common }),
        await openNatsIndexLog({ connection: other, ...common }),
      ];
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await nats[Symbol.asyncDispose]();
    },
  };
}

const memorySubject = async (): Promise<Subject> => ({
  open: async () => {
    const log = new MemoryIndexLog();
    return [log, log];
  },
  [Symbol.asyncDispose]: async () => {},
});

const stream = StreamId.parse('demo');
const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => 'none', errorCodeOf);
const clock = (recordId: string) => clockRecord({ recordId });

describe.each([
  ['JetStream', natsSubject],
  ['memory', memorySubject],
])('the index log in %s', (_, start) => {
  let subject: Subject;
  let log: IndexLog;
  let other: IndexLog;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(() => subject[Symbol.asyncDispose]());
  const open = async (): Promise<void> => {
    [log, other] = await subject.open();
  };

  test('stores an append that names the tail, and fences any other', async () => {
    await open();
    const first = await log.append(stream, openRecord(), 0);
    expect(await codeOf(other.append(stream, openRecord({ recordId: 'r2' }), 0))).toBe('FENCED');
    expect(await codeOf(log.append(stream, openRecord({ recordId: 'r2' }), first + 1))).toBe('FENCED');
    const second = await log.append(stream, endRecord({ recordId: 'r3' }), first);
    expect(await other.tail(stream)).toEqual({ sequence: second, record: endRecord({ recordId: 'r3' }) });
  });

  test('stores exactly one of two writers that expect the same tail', async () => {
    await open();
    const tail = await log.append(stream, openRecord(), 0);
    const outcomes = await Promise.all(
      [log, other].map((one, index) => codeOf(one.append(stream, clock(`c${index}`), tail))),
    );
    expect(outcomes.toSorted()).toEqual(['FENCED', 'none']);
  });

  test('keeps streams apart; an unknown one has no tail and no records', async () => {
    await open();
    const one = await log.append(stream, openRecord(), 0);
    await log.append(StreamId.parse('other'), openRecord(), 0);
    const two = await log.append(stream, clock('c1'), one);
    expect((await other.read(stream)).map((entry) => entry.sequence)).toEqual([one, two]);
    expect((await other.read(stream, two)).map((entry) => entry.record.recordId)).toEqual(['c1']);
    expect((await other.read(stream, 1, 1)).map((entry) => entry.sequence)).toEqual([one]);
    expect(await log.tail(StreamId.parse('nobody'))).toBeUndefined();
    expect(await log.read(StreamId.parse('nobody'))).toEqual([]);
  });

  test('keeps the fence when it is purged: the tail stays, and an expectation of 0 is refused', async () => {
    await open();
    let tail = 0;
    for (const id of ['a', 'b', 'c']) tail = await log.append(stream, clock(id), tail);
    await log.purgeBelow(stream, tail);
    expect((await other.read(stream)).map((entry) => entry.record.recordId)).toEqual(['c']);
    expect(await codeOf(other.append(stream, openRecord(), 0))).toBe('FENCED');
  });

  test('gives a follower what is there, says so, and then what comes', async () => {
    await open();
    const tail = await log.append(stream, openRecord(), 0);
    using following = followLog(other, stream, 1);
    await following.until((seen) => seen.includes('caughtUp'));
    await log.append(stream, clock('c1'), tail);
    await following.until((seen) => seen.includes('c1'));
    expect(following.seen).toEqual(['r1', 'caughtUp', 'c1']);
  });

  test('gives a follower only what it asked for, also when that begins in the middle', async () => {
    await open();
    let tail = 0;
    for (const id of ['a', 'b', 'c']) tail = await log.append(stream, clock(id), tail);
    using following = followLog(other, stream, tail);
    await following.until((seen) => seen.includes('caughtUp'));
    expect(following.seen).toEqual(['c', 'caughtUp']);
  });

  test('tells a follower of an empty log at once that it is caught up', async () => {
    await open();
    using following = followLog(log, stream, 1);
    await following.until((seen) => seen.includes('caughtUp'));
    await other.append(stream, openRecord(), 0);
    await following.until((seen) => seen.includes('r1'));
    expect(following.seen).toEqual(['caughtUp', 'r1']);
  });

  test('ends a follow when its signal aborts', async () => {
    await open();
    const following = followLog(log, stream, 1);
    await following.until((seen) => seen.includes('caughtUp'));
    following[Symbol.dispose]();
    await following.ended;
  });
});
