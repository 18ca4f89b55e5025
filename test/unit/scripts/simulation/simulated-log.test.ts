/** The simulated log and ownership records: each invariant is told when it breaks, and only then. */
import { expect, test } from 'vitest';
import { BootId, Epoch, NodeId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import type { OwnershipRecord } from '../../../../cluster/ownership/ownership-store.ts';
import { SimulatedLog } from '../../../../scripts/simulation/simulated-log.ts';
import type { Body, LogRecord } from '../../../../scripts/simulation/written.ts';

const stream = StreamId.parse('s1');

function rig({ isFenceBroken = false, mayLose = true } = {}) {
  const said: string[] = [];
  const asked: number[] = [];
  let nowMs = 0;
  const log = new SimulatedLog({
    isFenceBroken,
    violate: (what: string) => void said.push(what),
    nowMs: () => nowMs,
    mayLose: (_node, _bootId, wonAtMs) => {
      asked.push(wonAtMs);
      return mayLose;
    },
  });
  const by = (node: string, epoch: number, body: Body): LogRecord => ({
    epoch: Epoch.parse(epoch),
    node: NodeId.parse(node),
    bootId: BootId.parse(`${node}-1`),
    recordId: `${node}-${epoch}`,
    atMs: 0,
    body,
  });
  const own = (node: string, atMs: number): number => {
    nowMs = atMs;
    const record: OwnershipRecord = {
      owner: NodeId.parse(node),
      region: RegionId.parse('r1'),
      bootId: BootId.parse(`${node}-1`),
      epoch: Epoch.parse(1),
      since: '',
      reason: '',
    };
    return log.putRecord(stream, record, log.record(stream).revision);
  };
  return { log, said, asked, by, own };
}

const open: Body = { kind: 'open' };

test('an append that does not name the tail is refused, and nothing is said', () => {
  const { log, said, by } = rig();
  expect(log.append(stream, by('n1', 1, open), 0)).toBe(1);
  expect(() => log.append(stream, by('n2', 2, open), 0)).toThrow(/FENCED|another/);
  expect(log.append(stream, by('n2', 2, open), 1)).toBe(2);
  expect(said).toEqual([]);
});

test('I1: without the fence an older epoch, and an epoch of two owners, are told', () => {
  const { log, said, by } = rig({ isFenceBroken: true });
  log.append(stream, by('n1', 1, open), 0);
  log.append(stream, by('n2', 2, open), 0);
  log.append(stream, by('n1', 1, { kind: 'source', start: 0 }), 0);
  log.append(stream, by('n3', 2, { kind: 'source', start: 1 }), 0);
  expect(said).toEqual(
    ['s1 went back from epoch 2 to 1 of n1', 'epoch 2 of s1 has two owners: n2 n2-1 and n3 n3-1'].map(
      (what) => `I1: ${what}`,
    ),
  );
});

test('I2: a source that is decided twice is told', () => {
  const { log, said, by } = rig();
  const bodies: readonly Body[] = [
    open,
    { kind: 'source', start: 0 },
    { kind: 'commit', number: 0, start: 0 },
    { kind: 'commit', number: 1, start: 0 },
  ];
  for (const [index, body] of bodies.entries()) log.append(stream, by('n1', 1, body), index);
  expect(said).toEqual(['I2: s1 decides source 0, which does not wait: it is decided, or was never there']);
});

test('I3: a record that leaves its owner is a matter of when that owner won it', () => {
  const well = rig({ mayLose: false });
  well.own('n1', 100);
  well.own('n1', 200);
  expect(well.said).toEqual([]);
  well.own('n2', 300);
  expect(well.asked).toEqual([200]);
  expect(well.said).toEqual(['I3: n2 took s1 from n1, which is well']);
  const gone = rig();
  gone.own('n1', 100);
  gone.own('n2', 300);
  expect(gone.said).toEqual([]);
});
