/** The simulated edge: the product's fold never goes back, and one that would is told (I4). */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../../../cluster/contract/index-records.ts';
import { BootId, Epoch, NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { FollowedLog } from '../../../../scripts/simulation/followed-log.ts';
import {
  SimulatedEdge,
  type EdgeFold,
  type FoldedHead,
} from '../../../../scripts/simulation/simulated-edge.ts';
import { SimulatedLog } from '../../../../scripts/simulation/simulated-log.ts';
import type { Body } from '../../../../scripts/simulation/written.ts';
import { newEdgeFold } from '../../../../scripts/commands/simulation/edge-fold.ts';

const stream = StreamId.parse('s1');

function rig(newFold: () => EdgeFold) {
  const said: string[] = [];
  const violate = (what: string): void => void said.push(what);
  const log = new SimulatedLog({
    isFenceBroken: true,
    violate: () => {},
    nowMs: () => 0,
    mayLose: () => true,
  });
  const followed = new FollowedLog();
  log.followed.set(stream, followed);
  const counts = { folded: 0, ignored: 0 };
  const region = { log, newFold, violate, counts, published: new Map<string, string>() };
  const newEdge = (name: string): SimulatedEdge => new SimulatedEdge(name, [stream], region);
  let records = 0;
  const write = (node: string, epoch: number, body: Body): void => {
    records += 1;
    const author = { node: NodeId.parse(node), bootId: BootId.parse(`${node}-1`), epoch: Epoch.parse(epoch) };
    log.append(stream, { ...author, recordId: `${node}-${records}`, atMs: 0, body }, 0);
  };
  return { said, counts, newEdge, write, entries: followed.entries };
}

/** Shows whatever comes last. */
function naiveFold(): EdgeFold {
  let head: FoldedHead = {
    epoch: 0,
    firstNumber: 0,
    nextNumber: 0,
    discontinuities: 0,
    ignored: 0,
    newest: undefined,
  };
  return {
    take({ record }: IndexEntry): FoldedHead {
      const { epoch, kind } = record;
      if (kind === 'clock') head = { ...head, discontinuities: Number(record.sessionId.slice(1)) };
      const shown = kind === 'commit' ? { nextNumber: record.number + 1, newest: record.recordId } : {};
      head = { ...head, epoch, ...shown };
      return head;
    },
  };
}

const segment = (number: number): readonly Body[] => [
  { kind: 'source', start: number },
  { kind: 'commit', number, start: number },
];

/** n1 writes; n2 takes over and its publisher connects anew; n1 thaws and goes on where it was. */
function writeFromTwo(write: (node: string, epoch: number, body: Body) => void): void {
  const begin: readonly Body[] = [{ kind: 'open' }, { kind: 'clock', connection: 1 }];
  for (const body of [...begin, ...segment(0)]) write('n1', 1, body);
  const goOn: readonly Body[] = [{ kind: 'open' }, { kind: 'clock', connection: 2 }];
  for (const body of [...goOn, ...segment(1), ...segment(2)]) write('n2', 2, body);
  for (const body of [{ kind: 'clock', connection: 1 } as const, ...segment(1)]) write('n1', 1, body);
}

test('the fold of the product takes all of an orderly log, each period and each number', () => {
  const { said, counts, newEdge, write } = rig(newEdgeFold);
  const bodies: readonly Body[] = [
    { kind: 'open' },
    { kind: 'clock', connection: 1 },
    ...segment(0),
    ...segment(1),
  ];
  for (const body of bodies) write('n1', 1, body);
  for (const body of [{ kind: 'clock', connection: 2 } as const, ...segment(2)]) write('n1', 1, body);
  newEdge('n1').read();
  newEdge('n2').read();
  expect(said).toEqual([]);
  expect(counts).toEqual({ folded: 18, ignored: 0 });
});

test('where the log takes what a stale owner writes, the fold of the product does not show it', () => {
  const { said, counts, newEdge, write } = rig(newEdgeFold);
  writeFromTwo(write);
  newEdge('n3').read();
  expect(said).toEqual([]);
  expect(counts).toEqual({ folded: 13, ignored: 3 });
});

test('an edge that shows it is told: its epoch, its media sequence and its discontinuity sequence go back', () => {
  const { said, newEdge, write } = rig(naiveFold);
  writeFromTwo(write);
  newEdge('n3').read();
  expect(said).toContain('I4: s1 at the edge of n3: the epoch went back from 2 to 1');
  const later = rig(naiveFold);
  for (const body of [{ kind: 'clock', connection: 2 } as const, ...segment(0), ...segment(1)])
    later.write('n1', 1, body);
  for (const body of [...segment(0), { kind: 'clock', connection: 1 } as const]) later.write('n1', 1, body);
  later.newEdge('n3').read();
  expect(later.said).toEqual([
    'I4: s1 at the edge of n3: number 0 is another segment elsewhere',
    'I4: s1 at the edge of n3: the media sequence went back from 2 to 1',
    'I4: s1 at the edge of n3: the discontinuity sequence went back from 2 to 1',
  ]);
});

test('an edge reads on where it stands, and a new one from the beginning', () => {
  const { counts, newEdge, write, entries } = rig(newEdgeFold);
  for (const body of [{ kind: 'open' } as const, { kind: 'clock', connection: 1 } as const])
    write('n1', 1, body);
  const edge = newEdge('n1');
  edge.read();
  edge.read();
  for (const body of segment(0)) write('n1', 1, body);
  edge.read();
  expect(counts.folded).toBe(entries.length);
  newEdge('n1').read();
  expect(counts.folded).toBe(2 * entries.length);
});
