/** A publisher whose owner does not answer has it looked at, and only then (C3: media liveness). */
import { expect, test } from 'vitest';
import { maxWaiting, WaitingPublishers } from '../../../../../actors/ingest/owner/waiting-publishers.ts';
import type { AttachReply, StandsStillReply } from '../../../../../cluster/contract/stream-actions.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { Epoch, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { stream as demo } from '../../../../support/ports/records.ts';
import { attachParams } from '../../../../support/ingest/stream-feed.ts';

const refuse = (): Promise<never> => Promise.reject(new TangazaError('UNAVAILABLE'));

function scene() {
  const clock = new JumpingClock();
  const owner = { attach: refuse as () => Promise<AttachReply>, found: {} as StandsStillReply };
  const looks: number[] = [];
  const sizes: number[] = [];
  const gauge = () => ({ set: (size: number) => void sizes.push(size) });
  const waitingPublishers = new WaitingPublishers({
    clock,
    logger: silentLogger,
    metrics: { ...noMetrics, gauge },
    stream: {
      openPeriod: refuse,
      offer: refuse,
      input: refuse,
      detach: refuse,
      closeSessions: refuse,
      attach: () => owner.attach(),
      standsStill: async () => {
        looks.push(clock.nowMs);
        return owner.found;
      },
    },
  });
  const passSeconds = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.nowMs += 1000;
      waitingPublishers.look();
      await new Promise(setImmediate);
    }
  };
  const attach = (streamId = demo): Promise<string> =>
    waitingPublishers.attach(attachParams({ streamId })).then(
      () => 'on air',
      () => 'refused',
    );
  return { attach, looks, owner, passSeconds, sizes };
}

test('an owner that does not answer is looked at while the call is under way', async () => {
  const { attach, looks, owner, passSeconds } = scene();
  owner.attach = () => new Promise(() => {});
  void attach();
  await passSeconds(4);
  expect(looks).toEqual([2000, 3000, 4000]);
});

test('waitingPublishers that are refused again wait on over their tries, until nobody has tried for 10 s', async () => {
  const { attach, looks, passSeconds } = scene();
  await attach();
  await passSeconds(4);
  await attach();
  await passSeconds(20);
  expect(looks).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((second) => second * 1000));
});

test('one try that was not answered is no evidence: the failure may have been here', async () => {
  const { attach, looks, passSeconds } = scene();
  await attach();
  await passSeconds(20);
  expect(looks).toEqual([]);
});

test('another owner ends the wait, and the next try is let in', async () => {
  const { attach, looks, owner, passSeconds } = scene();
  await attach();
  await attach();
  owner.found = { owner: NodeId.parse('n2') };
  await passSeconds(5);
  owner.attach = async () => ({ epoch: Epoch.parse(2) });
  expect({ looks, attached: await attach() }).toEqual({ looks: [2000], attached: 'on air' });
});

test.each(['STREAM_BUSY', 'PUBLISHER_BLOCKED', 'NOT_OWNER'] as const)(
  '%s is an answer: nobody waits',
  async (code) => {
    const { attach, looks, owner, passSeconds } = scene();
    await attach();
    owner.attach = () => Promise.reject(new TangazaError(code));
    await attach();
    await passSeconds(5);
    expect(looks).toEqual([]);
  },
);

test('how many streams wait is told, and of too many the one that was tried longest ago is forgotten', async () => {
  const { attach, looks, passSeconds, sizes } = scene();
  const others = Array.from({ length: maxWaiting - 1 }, (_, index) => StreamId.parse(`other-${index}`));
  for (const stream of [demo, demo, ...others]) await attach(stream);
  await passSeconds(2);
  await attach(StreamId.parse('one-more'));
  await passSeconds(2);
  expect({ sizes, looks }).toEqual({ sizes: Array(4).fill(maxWaiting), looks: [2000] });
  await passSeconds(10);
  expect(sizes.at(-1)).toBe(0);
});
