/** For how long an owner has done nothing for a session (C3: media liveness). */
import { expect, test } from 'vitest';
import { OwnerWait } from '../../../../../actors/ingest/owner/owner-wait.ts';
import { NodeId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { stream } from '../../../../support/ports/records.ts';

function scene() {
  const clock = new JumpingClock();
  const standsStill = async () => ({ owner: NodeId.parse('n2') });
  const wait = new OwnerWait({ clock, logger: silentLogger, stream: { standsStill } });
  const isAccepted = (): void => {
    wait.called();
    wait.answered();
    wait.accepted();
  };
  return { clock, wait, isAccepted };
}

test('an offer that nobody answers is waited for from its first try on', () => {
  const { clock, wait } = scene();
  wait.called();
  clock.nowMs += 2000;
  expect(wait.waitedMs).toBe(2000);
});

test.each(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'LOG_UNAVAILABLE', 'OVERLOADED'] as const)(
  '%s is no answer, and the count goes on over the tries',
  (code) => {
    const { clock, wait } = scene();
    for (let tries = 0; tries < 3; tries += 1) {
      wait.called();
      wait.failed(code);
      clock.nowMs += 1000;
    }
    expect(wait.waitedMs).toBe(3000);
  },
);

test.each(['STALE_EPOCH', 'NOT_OWNER', 'CONFLICT', 'BAD_REQUEST'] as const)('%s is an answer', (code) => {
  const { clock, wait } = scene();
  wait.called();
  wait.failed(code);
  clock.nowMs += 1000;
  expect(wait.waitedMs).toBe(0);
});

test('what was accepted is waited for until the log has moved', () => {
  const { clock, wait, isAccepted } = scene();
  wait.logStandsAt(5);
  isAccepted();
  clock.nowMs += 1000;
  wait.logStandsAt(5);
  isAccepted(); // a further one that is accepted is no proof of work
  clock.nowMs += 1000;
  expect(wait.waitedMs).toBe(2000);
  wait.logStandsAt(6);
  expect(wait.waitedMs).toBe(0);
});

test('with another owner the count begins anew', async () => {
  const { clock, wait, isAccepted } = scene();
  isAccepted();
  clock.nowMs += 9000;
  expect(await wait.isReplaced(stream)).toBe(true);
  expect(wait.waitedMs).toBe(0);
});
