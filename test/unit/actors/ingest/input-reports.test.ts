/** Reports of the input, with owners that answer as the test says. */
import { expect, test } from 'vitest';
import { InputReports, type InputReportsPorts } from '../../../../actors/ingest/input-reports.ts';
import type { OwnerClient } from '../../../../actors/ingest/owner/owner-client.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { Epoch } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { systemClock } from '../../../../cluster/time/clock.system.ts';

const stats = { bitrateBps: 1, lastPacketAgeMs: 0, warnings: [] };

function scene(measure = () => stats) {
  const sent: Parameters<OwnerClient['input']>[0][] = [];
  const isSent = Promise.withResolvers<void>();
  const gone: (number | undefined)[] = [];
  let answer = (): Promise<void> => Promise.resolve();
  const owner: InputReportsPorts['owner'] & { epoch: Epoch } = {
    epoch: Epoch.parse(1),
    ownerGone: async (under) => void gone.push(under),
    input: (report) => {
      sent.push(report);
      isSent.resolve();
      return answer();
    },
  };
  const reports = new InputReports({ clock: systemClock, owner, logger: silentLogger }, measure);
  return {
    reports,
    sent,
    firstIsSent: isSent.promise,
    gone,
    owner,
    answerWith: (next: typeof answer) => void (answer = next),
  };
}

const otherOwner = () => Promise.reject(new TangazaError('STALE_EPOCH'));

test('a report that finds the last one unanswered is left out', async () => {
  const { reports, sent, answerWith } = scene();
  const held = Promise.withResolvers<void>();
  answerWith(() => held.promise);
  const first = reports.send();
  await reports.send();
  held.resolve();
  await first;
  expect(sent).toHaveLength(1);
  await reports.send();
  expect(sent).toHaveLength(2);
});

test('a report that another owner answers makes the session look for it, one that nobody answers does not', async () => {
  const { reports, gone, answerWith } = scene();
  answerWith(() => Promise.reject(new TangazaError('UNAVAILABLE')));
  await reports.send();
  expect(gone).toEqual([]);
  answerWith(otherOwner);
  await reports.send();
  expect(gone).toEqual([1]);
});

// Found by review: the answer came when the session had attached elsewhere and left, and attached it once more for 20 s.
test('a late answer names the owner that it is about, and one to a session that has left changes nothing', async () => {
  const { reports, firstIsSent, gone, owner, answerWith } = scene();
  const held = Promise.withResolvers<void>();
  answerWith(() => held.promise);
  const report = reports.send();
  await firstIsSent;
  owner.epoch = Epoch.parse(2);
  held.reject(new TangazaError('STALE_EPOCH'));
  await report;
  expect(gone).toEqual([1]);
  reports.end();
  answerWith(otherOwner);
  await reports.send();
  expect(gone).toEqual([1]);
});

// After a time in which the process stood still Node runs timers before it reads sockets; setImmediate comes after both.
test('the silence is measured when what came meanwhile has been read', async () => {
  let lastPacketAgeMs = 1200;
  const { reports, sent } = scene(() => ({ ...stats, lastPacketAgeMs }));
  setImmediate(() => void (lastPacketAgeMs = 0));
  await reports.send();
  expect(sent.map((report) => report.lastPacketAgeMs)).toEqual([0]);
});
