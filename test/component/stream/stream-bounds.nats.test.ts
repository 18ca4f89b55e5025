/** Bounds of the stream actor, and what it does when its process stood still, on a real nats-server (C6, activations.ts D3, activation.ts V1). */
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { streamService } from '../../../actors/stream/stream.service.ts';
import { SessionId, StreamId } from '../../../cluster/model/ids.ts';
import { noMetrics, type Metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { AppendGate } from '../../support/ports/append-gate.ts';
import { sourceAudio, sourceVideo } from '../../support/ingest/owner-harness.ts';
import { sha, stream } from '../../support/ports/records.ts';
import { startActor } from '../../support/ports/region-ports.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { attach, attachParams, codeOf, session } from '../../support/ingest/stream-feed.ts';
import { waitFor } from '../../support/wait.ts';

/** Of an activation, and of a node. */
const maxWaiting = 256;
const maxActivations = 500;

/** Counts by event, and gauges by name. */
function reading(): { readonly metrics: Metrics; readonly values: Map<string, number> } {
  const values = new Map<string, number>();
  const counter: Metrics['counter'] = () => ({
    add: (by, { event = '' } = {}) => void values.set(event, (values.get(event) ?? 0) + by),
  });
  const gauge: Metrics['gauge'] = ({ name }) => ({ set: (value) => void values.set(name, value) });
  return { metrics: { ...noMetrics, counter, gauge }, values };
}

const opening = (epoch: number) => ({
  streamId: stream,
  sessionId: session,
  epoch,
  sequenceHeaderHash: sha('5e'),
  connectionZeroMs: 0,
  wallZeroMs: Date.now(),
  video: sourceVideo,
  audio: sourceAudio,
});

// Goal: an owner that cannot go on holds a bounded number of calls. Method: its append is held back while more ask for the period.
test('more calls than may wait for an owner are refused and counted; those that wait are answered', async () => {
  await using nats = await startNats({ jetstream: true });
  const gate = new AppendGate();
  const { metrics, values } = reading();
  await using one = await startActor(nats, { around: (log) => gate.before(log), options: { metrics } });
  const epoch = await attach(one);
  gate.close();
  const waiting = Array.from({ length: maxWaiting }, () =>
    codeOf(one.actor.openPeriod({ ...opening(epoch), epoch })),
  );
  const waitingCalls = (): number | undefined => values.get('tangaza_stream_waiting_calls');
  await waitFor('as many calls wait as may', waitingCalls, (calls) => calls === maxWaiting);
  expect(await codeOf(one.actor.openPeriod({ ...opening(epoch), epoch }))).toBe('OVERLOADED');
  expect(values.get('refusedCall')).toBe(1);
  gate.open();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['none']));
  await waitFor('no call waits any more', waitingCalls, (calls) => calls === 0);
});

test('a node owns a bounded number of streams, and refuses and counts a further one', async () => {
  await using nats = await startNats({ jetstream: true });
  const { metrics, values } = reading();
  await using one = await startActor(nats, { options: { metrics } });
  const attachTo = (index: number): Promise<string> =>
    codeOf(
      one.actor.attach(
        attachParams({ streamId: StreamId.parse(`s${index}`), sessionId: SessionId.parse(`of-${index}`) }),
      ),
    );
  const taken = await Promise.all(Array.from({ length: maxActivations }, (_, index) => attachTo(index)));
  expect(new Set(taken)).toEqual(new Set(['none']));
  expect({ code: await attachTo(maxActivations), refused: values.get('refusedStream') }).toEqual({
    code: 'OVERLOADED',
    refused: 1,
  });
  expect(await attachTo(0)).toBe('none');
});

// Goal: what waited while the process stood still is not done when it goes on (C6). Method: its append is held back, so that a call
// waits; the clock of the service leaps by two seconds.
test('a service whose process stood still refuses what has waited in it', async () => {
  await using nats = await startNats({ jetstream: true });
  const gate = new AppendGate();
  await using one = await startActor(nats, { node: 'n9', around: (log) => gate.before(log) });
  let frozenMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + frozenMs };
  const broker = new ServiceBroker({ logger: false, nodeID: 'n1' });
  broker.createService(
    streamService({
      ...one.options,
      clock,
      checkDeadline: () => {},
      members: { onGone: () => () => {}, onDeclaredDead: () => () => {} },
    }),
  );
  await broker.start();
  try {
    const epoch: number = await broker
      .call<{ epoch: number }, object>('stream.attach', attachParams())
      .then((reply) => reply.epoch);
    gate.close();
    const waiting = codeOf(broker.call('stream.openPeriod', opening(epoch)));
    frozenMs += 2000;
    expect(await waiting).toBe('DEADLINE_EXCEEDED');
  } finally {
    gate.open();
    await broker.stop();
  }
});
