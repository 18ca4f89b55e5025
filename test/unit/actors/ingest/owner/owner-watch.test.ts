/** For how long an owner has done nothing for a session (C3: media liveness). */
import { expect, test } from 'vitest';
import { OwnerWatch } from '../../../../../actors/ingest/owner/owner-watch.ts';
import type { StreamCalls } from '../../../../../actors/ingest/runner-ports.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { Epoch, NodeId, PeriodId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { attachParams, builder } from '../../../../support/ingest/stream-feed.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { stream } from '../../../../support/ports/records.ts';

const offerParams = {
  streamId: stream,
  epoch: Epoch.parse(1),
  offer: builder.segment(PeriodId.parse(2), 0),
};
const inputParams = { streamId: stream, sessionId: attachParams().sessionId } as Parameters<
  StreamCalls['input']
>[0];

function scene() {
  const clock = new JumpingClock();
  const owner = {
    offer: (): Promise<unknown> => Promise.resolve({ state: 'accepted' }),
    sequence: 5,
    twin: {} as { readonly hasTwin?: boolean },
    attached: [] as unknown[],
    epoch: 1,
    under: [] as number[],
  };
  const refuse = (): Promise<never> => Promise.reject(new TangazaError('UNAVAILABLE'));
  const watch = new OwnerWatch({
    clock,
    logger: silentLogger,
    epoch: Epoch.parse(1),
    stream: {
      openPeriod: refuse,
      closeSessions: refuse,
      detach: async ({ epoch }) => void owner.under.push(epoch),
      attach: async ({ hadTwin }) => {
        owner.attached.push(hadTwin);
        return { epoch: Epoch.parse(owner.epoch) };
      },
      offer: () => owner.offer(),
      input: async ({ epoch }) => {
        owner.under.push(epoch);
        return { sequence: owner.sequence, feedsElsewhere: false, ...owner.twin };
      },
      standsStill: async () => ({ owner: NodeId.parse('n2') }),
    },
  });
  return { clock, owner, watch };
}

test('an offer that nobody answers is waited for from its first try on', async () => {
  const { clock, owner, watch } = scene();
  owner.offer = () => new Promise(() => {});
  void watch.offer(offerParams);
  clock.nowMs += 2000;
  expect(watch.waitedMs).toBe(2000);
});

test.each(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'LOG_UNAVAILABLE', 'OVERLOADED'] as const)(
  '%s is no answer, and the count goes on over the tries',
  async (code) => {
    const { clock, owner, watch } = scene();
    owner.offer = () => Promise.reject(new TangazaError(code));
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(watch.offer(offerParams)).rejects.toThrow();
      clock.nowMs += 1000;
    }
    expect(watch.waitedMs).toBe(3000);
  },
);

test.each(['STALE_EPOCH', 'NOT_OWNER', 'CONFLICT', 'BAD_REQUEST'] as const)(
  '%s is an answer',
  async (code) => {
    const { clock, owner, watch } = scene();
    owner.offer = () => Promise.reject(new TangazaError(code));
    await expect(watch.offer(offerParams)).rejects.toThrow();
    clock.nowMs += 1000;
    expect(watch.waitedMs).toBe(0);
  },
);

test('what was accepted is waited for until the log has moved', async () => {
  const { clock, owner, watch } = scene();
  await watch.input(inputParams);
  await watch.offer(offerParams);
  clock.nowMs += 1000;
  await watch.input(inputParams);
  await watch.offer(offerParams); // a further one that is accepted is no proof of work
  clock.nowMs += 1000;
  expect(watch.waitedMs).toBe(2000);
  owner.sequence += 1;
  await watch.input(inputParams);
  expect(watch.waitedMs).toBe(0);
});

// Method: an owner that does not know the session says nothing of a twin, as a successor before the session has come.
test('whether it had a twin is told to the next owner as the last that knew it said', async () => {
  const { owner, watch } = scene();
  for (const twin of [{}, { hasTwin: true }, {}, { hasTwin: false }]) {
    owner.twin = twin;
    await watch.input(inputParams);
    await watch.attach(attachParams());
  }
  expect(owner.attached).toEqual([undefined, true, true, undefined]);
});

test('reports and the farewell go out under the epoch of the last owner that was attached to', async () => {
  const { owner, watch } = scene();
  await watch.input(inputParams);
  owner.epoch = 3;
  await watch.attach(attachParams());
  await watch.input(inputParams);
  await watch.detach({ streamId: stream, sessionId: attachParams().sessionId, reason: 'test' });
  expect({ under: owner.under, epoch: watch.epoch }).toEqual({ under: [1, 3, 3], epoch: 3 });
});

test('with another owner the count begins anew', async () => {
  const { clock, watch } = scene();
  await watch.offer(offerParams);
  clock.nowMs += 9000;
  expect(await watch.isReplaced(stream)).toBe(true);
  expect(watch.waitedMs).toBe(0);
});
