/** The stream actor on a real nats-server: claims, fences, crashes of the server and of the node (C1, C2, C8). */
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import type { LocalOwners } from '../../../cluster/contract/hand-over.ts';
import { streamService } from '../../../actors/stream/stream.service.ts';
import { deadlineCheck } from '../../../cluster/membership/deadlines.ts';
import { Epoch, NodeId, SessionId } from '../../../cluster/model/ids.ts';
import { loadsOf } from '../../../cluster/ownership/succession.ts';
import { AppendGate } from '../../support/ports/append-gate.ts';
import { doneReport } from '../../support/ingest/owner-harness.ts';
import { stream } from '../../support/ports/records.ts';
import { startActor } from '../../support/ports/region-ports.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import {
  attach,
  attachParams,
  begin,
  builder,
  codeOf,
  count,
  feed,
  finishSegment,
  fold,
  logUntil,
  session,
  reportUnder,
} from '../../support/ingest/stream-feed.ts';
import { waitFor } from '../../support/wait.ts';

test('from attach to commit: open, clock, source, commit', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  const live = await begin(one);
  await feed(one, live, 0);
  const entries = await logUntil(one.log, (records) => count(records, 'commit') === 1);
  expect(entries.map((entry) => entry.record.kind)).toEqual(['open', 'clock', 'source', 'commit']);
  expect(live.period).toBe(entries[1]?.sequence);
  expect(await one.actor.health(stream)).toMatchObject({
    state: 'live',
    owner: 'n1',
    epoch: 1,
    reason: 'first publish',
  });
});

test('a worker is told whether its task is still wanted: until it is done, and by no node that does not own the stream', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  await using two = await startActor(nats, { node: 'n2' });
  const { epoch, period } = await begin(one);
  await one.actor.offer({ streamId: stream, epoch, offer: builder.segment(period, 0) });
  const task = await one.nextTask();
  const { streamId, taskId, attempt } = task;
  const started = { kind: 'started', streamId, taskId, attempt, epoch, worker: NodeId.parse('w1') } as const;
  expect(await one.actor.report(started)).toEqual({ isWanted: true });
  expect(await two.actor.report(started)).toEqual({ isWanted: false });
  await one.actor.report(doneReport(task));
  expect(await one.actor.report(started)).toEqual({ isWanted: false });
});

test('a stream that a living node owns is not claimed, and its owner is named', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  await using two = await startActor(nats, { node: 'n2' });
  await attach(one);
  const refused: unknown = await two.actor.attach(attachParams()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'NOT_OWNER', data: { owner: 'n1' } });
});

test('many attaches at once share one take-over', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      codeOf(one.actor.attach(attachParams({ sessionId: SessionId.parse(`s${index}`) }))),
    ),
  );
  // The publisher, and one candidate beside it.
  expect(outcomes.filter((code) => code === 'none')).toHaveLength(2);
  expect((await one.log.read(stream)).map((entry) => entry.record.kind)).toEqual(['open']);
});

// Goal: an owner that is frozen, given up and thawed cannot change what a viewer sees. Method: its append is held back;
// another node, told that it is dead, takes over and commits; then the append goes on.
test('of two owners the frozen one is fenced when it thaws', async () => {
  await using nats = await startNats({ jetstream: true });
  const gate = new AppendGate();
  await using frozen = await startActor(nats, { around: (log) => gate.before(log) });
  const live = await begin(frozen);
  await feed(frozen, live, 0);
  await logUntil(frozen.log, (records) => count(records, 'commit') === 1);
  gate.close();
  await frozen.actor.offer({ streamId: stream, epoch: live.epoch, offer: builder.segment(live.period, 1) });

  await using successor = await startActor(nats, { node: 'n2', alive: false });
  const epoch = await attach(successor);
  expect(epoch).toBe(2);
  await feed(successor, { epoch, period: live.period }, 1);
  await logUntil(successor.log, (records) => count(records, 'commit') === 2);

  gate.open();
  await gate.refused;
  // It learns why from the tail, one round trip later; until then it takes offers, and appends nothing.
  const late = { streamId: stream, epoch: live.epoch, offer: builder.segment(live.period, 2) };
  await waitFor(
    'the former owner is fenced',
    () => codeOf(frozen.actor.offer(late)),
    (code) => code === 'STALE_EPOCH',
  );
  const timeline = fold(await successor.log.read(stream));
  expect({ nextNumber: timeline.nextNumber, ignored: timeline.ignored, epoch: timeline.epoch }).toEqual({
    nextNumber: 2,
    ignored: 0,
    epoch: 2,
  });
});

// Goal: no source is lost by a crash of the server, and nothing is committed twice. Method: SIGKILL in the middle of a
// feed, offers go on into the outage, restart on the same folder.
test('a SIGKILL of nats-server during appends loses nothing', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  const live = await begin(one);
  for (let index = 0; index < 5; index += 1) await feed(one, live, index);
  const dying = nats.kill();
  for (let index = 5; index < 12; index += 1) {
    await one.actor.offer({
      streamId: stream,
      epoch: live.epoch,
      offer: builder.segment(live.period, index),
    });
  }
  await dying;
  expect(
    await codeOf(
      one.actor.offer({ streamId: stream, epoch: live.epoch, offer: builder.segment(live.period, 12) }),
    ),
  ).toBe('none');
  await nats.restart();
  const over = new AbortController();
  const finish = async (): Promise<void> => {
    while (!over.signal.aborted) await one.actor.report(doneReport(await one.nextTask()));
  };
  finish().catch(() => {}); // it waits for one task more than there are
  const entries = await logUntil(
    one.log,
    (records) => count(records, 'commit') + count(records, 'gap') === 13,
  );
  over.abort();
  const timeline = fold(entries);
  expect({ nextNumber: timeline.nextNumber, ignored: timeline.ignored, epoch: timeline.epoch }).toEqual({
    nextNumber: 13,
    ignored: 0,
    epoch: 1,
  });
  expect(timeline.periods[0]?.segments.map((one) => one.isGap)).toEqual(Array(13).fill(false));
  expect(timeline.periods[0]?.segments.map((one) => one.start90k / 180_000)).toEqual([...Array(13).keys()]);
});

test('a node that comes back takes up what it owned: pending sources are decided without a publisher', async () => {
  await using nats = await startNats({ jetstream: true });
  {
    await using before = await startActor(nats);
    const live = await begin(before);
    await feed(before, live, 0);
    await before.actor.offer({ streamId: stream, epoch: live.epoch, offer: builder.segment(live.period, 1) });
    await logUntil(before.log, (records) => count(records, 'source') === 2);
  }
  await using after = await startActor(nats, { boot: 'boot-2' });
  await finishSegment(after);
  const entries = await logUntil(after.log, (records) => count(records, 'commit') === 2);
  const timeline = fold(entries);
  expect({ nextNumber: timeline.nextNumber, ignored: timeline.ignored, epoch: timeline.epoch }).toEqual({
    nextNumber: 2,
    ignored: 0,
    epoch: 2,
  });
  expect(await attach(after)).toBe(2);
});

test('a broadcast without a publisher ends, and a later one goes on with its numbers under a new epoch', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats, { options: { endAfterMs: 300 } });
  const first = await begin(one);
  await feed(one, first, 0);
  await one.actor.detach({ streamId: stream, sessionId: session, epoch: first.epoch, reason: 'test' });
  await logUntil(one.log, (records) => count(records, 'end') === 1);
  const again = await begin(one, 7);
  expect(again.epoch).toBe(2);
  await feed(one, again, 0);
  const timeline = fold(await logUntil(one.log, (records) => count(records, 'commit') === 2));
  expect({
    nextNumber: timeline.nextNumber,
    ignored: timeline.ignored,
    periods: timeline.periods.length,
  }).toEqual({ nextNumber: 2, ignored: 0, periods: 2 });
});

// Goal: C2, a session is there to offer again what its owner could not log. Method: the append is held back, and another node takes over.
test('who leaves is let go when all is in the log, and is told when the stream is given up before that', async () => {
  await using nats = await startNats({ jetstream: true });
  const gate = new AppendGate();
  await using one = await startActor(nats, { around: (log) => gate.before(log) });
  const live = await begin(one);
  const leave = { streamId: stream, sessionId: session, epoch: live.epoch, reason: 'test' };
  const offer = (index: number) =>
    one.actor.offer({ ...live, streamId: stream, offer: builder.segment(live.period, index) });
  await offer(0);
  await one.actor.detach(leave);
  expect((await one.log.tail(stream))?.record.kind).toBe('source');
  await using two = await startActor(nats, { node: 'n2', alive: false });
  gate.close();
  await attach(one);
  await offer(1);
  const left = codeOf(one.actor.detach(leave));
  await attach(two);
  gate.open();
  expect(await left).toBe('STALE_EPOCH');
});

// Found by reading: an owner that was just fenced, or had handed the stream over, said that all was in the log.
test('who leaves is sent on by a node that does not own the stream any more, and let go where the broadcast is over', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats, { options: { endAfterMs: 300 } });
  await using two = await startActor(nats, { node: 'n2' });
  const live = await begin(one);
  const leave = { streamId: stream, sessionId: session, epoch: live.epoch, reason: 'test' };
  expect(await codeOf(two.actor.detach(leave))).toBe('STALE_EPOCH');
  expect(await codeOf(one.actor.detach({ ...leave, epoch: Epoch.parse(7) }))).toBe('STALE_EPOCH');
  expect((await one.actor.health(stream)).sessions).toHaveLength(1);
  expect(await codeOf(one.actor.detach(leave))).toBe('none');
  await logUntil(one.log, (records) => count(records, 'end') === 1);
  expect(await codeOf(two.actor.detach(leave))).toBe('none');
  expect(await codeOf(two.actor.input(reportUnder(live.epoch)))).toBe('none');
});

test('a node that stops waits for the sessions of its streams, and not without end', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  const taking = attach(one);
  const happened: string[] = [];
  const gone = one.actor.sessionsGone(30_000).then(() => happened.push('gone'));
  const epoch = await taking;
  await one.actor.sessionsGone(1);
  happened.push('still fed');
  await one.actor.detach({ streamId: stream, sessionId: session, epoch, reason: 'test' });
  await gone;
  expect(happened).toEqual(['still fed', 'gone']);
});

// Found by stopping two nodes at once: the stream that the one was just taking over was not among those that it still had.
test('what is being taken over when a node is told to leave is among what is left', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  const taking = attach(one);
  expect(await one.actor.handOverAll(AbortSignal.timeout(1000))).toEqual([stream]);
  await taking;
});

test('an ended broadcast may be published at another node while its last owner lives', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats, { options: { endAfterMs: 100 } });
  await using two = await startActor(nats, { node: 'n2' });
  const first = await begin(one);
  await feed(one, first, 0);
  await one.actor.detach({ streamId: stream, sessionId: session, epoch: first.epoch, reason: 'test' });
  await logUntil(one.log, (records) => count(records, 'end') === 1);
  expect(await attach(two)).toBe(2);
});

// Goal: what is over is no load (C4). Method: the owner's next look, which a death brings, writes it into the record; then the stream
// is published again.
test('the record of an ended broadcast says that it is over, until somebody publishes again', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats, { options: { endAfterMs: 100 } });
  const { ownership } = one.options;
  const live = await begin(one);
  await feed(one, live, 0);
  expect(loadsOf((await ownership.list()).records).get(one.options.node)).toBe(1);
  await one.actor.detach({ streamId: stream, sessionId: session, epoch: live.epoch, reason: 'test' });
  await logUntil(one.log, (records) => count(records, 'end') === 1);
  one.actor.onNodeGone(NodeId.parse('n7'));
  const endedAt = async () => (await ownership.get(stream)).record?.endedAt;
  await waitFor('the record says that it is over', endedAt, (at) => at !== undefined);
  expect((await ownership.get(stream)).record).toMatchObject({ owner: 'n1', epoch: 1 });
  expect(loadsOf((await ownership.list()).records)).toEqual(new Map());
  expect(await attach(one)).toBe(2);
  expect((await ownership.get(stream)).record?.endedAt).toBeUndefined();
});

test('a superseded session is told to close', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats);
  await attach(one);
  await attach(one, { sessionId: SessionId.parse('s2'), priority: 1 });
  expect(one.closed).toEqual([
    { streamId: stream, sessionId: 's1', reason: 'another session has taken its place', epoch: 1 },
  ]);
});

test('the service answers over Moleculer, and names what is wrong with a call', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startActor(nats, { node: 'n9' });
  const broker = new ServiceBroker({ logger: false, nodeID: 'n1' });
  const offsets = new Map([['near', 500]]);
  let local: LocalOwners | undefined;
  const checkDeadline = deadlineCheck({
    self: NodeId.parse('n1'),
    nowMs: () => 10_000,
    clockOffsetMs: (node) => offsets.get(node),
  });
  broker.createService(
    streamService({
      ...one.options,
      onMade: (owners) => {
        local = owners;
      },
      checkDeadline,
      members: { onGone: () => () => {}, onDeclaredDead: () => () => {} },
    }),
  );
  await broker.start();
  try {
    expect(await broker.call('stream.attach', attachParams())).toEqual({ epoch: 1 });
    expect(await codeOf(broker.call('stream.attach', { streamId: 'UPPER CASE' }))).toBe('BAD_REQUEST');
    expect(await broker.call('stream.health', { streamId: stream })).toMatchObject({
      state: 'starting',
      epoch: 1,
    });
    // The call of a process that was paused: its caller has given it up, so nothing is done, whoever delivers it.
    const late = (from: string, deadlineMs: number) =>
      codeOf(broker.call('stream.attach', attachParams({ priority: 9 }), { meta: { from, deadlineMs } }));
    expect(await late('near', 10_499)).toBe('DEADLINE_EXCEEDED');
    expect(await late('stranger', 99_999)).toBe('DEADLINE_UNKNOWN');
    expect(await late('near', 10_501)).toBe('none');
    const unknown = { streamId: 'other', epoch: 1, offer: { ...builder.segment(builder.begin(), 0) } };
    expect(await codeOf(broker.call('stream.offer', unknown))).toBe('STALE_EPOCH');
    // What is left of a time is seldom whole. Nobody is there to take the stream.
    expect(await local?.handOver(999.5)).toEqual([stream]);
  } finally {
    await broker.stop();
  }
});
