/** What a node learns of the comments that it has acknowledged, by reads of other data centres alone (A6). */
import { expect, test } from 'vitest';
import { Observer } from '../../../../../actors/comments/replication/observer.ts';
import type { ReplicatedChange } from '../../../../../actors/comments/replication/replication.ts';
import { silentLogger as logger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../../../cluster/observe/metrics.ts';
import { MemoryReplicas } from '../../../../support/audience/memory-replicas.ts';
import { storedComment } from '../../../../support/audience/written.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const t0 = 1_796_000_000_000;

function start(...dataCentres: readonly string[]) {
  const reads = new MemoryReplicas(...(dataCentres.length > 0 ? dataCentres : ['r1', 'r2']));
  const clock = new JumpingClock();
  const observer = new Observer({ clock, logger, metrics, reads });
  const told: ReplicatedChange[] = [];
  return { reads, clock, observer, told, look: () => observer.look((change) => void told.push(change)) };
}

test('a comment is told once another data centre has been read with it in, to its author by its clientId', async () => {
  const { reads, clock, observer, told, look } = start();
  const said = storedComment(t0);
  reads.put('r1', said);
  observer.watch(said, 'r1');
  await look();
  expect({ told, isKnown: observer.has(said.id) }).toEqual({ told: [], isKnown: false });
  reads.put('r2', said);
  clock.nowMs += 500;
  await look();
  const { id, clientId, author } = said;
  expect(told).toEqual([
    { kind: 'replicated', streamId: 'news', comments: [{ id, clientId, authorId: author.id }] },
  ]);
  expect({ isKnown: observer.has(id) }).toEqual({ isKnown: true });
  observer.watch(said, undefined);
  clock.nowMs += 500;
  await look();
  expect({ told: told.length, asked: reads.asked.length }).toEqual({ told: 1, asked: 2 });
});

test('a data centre that took over for the own one does not vouch for itself', async () => {
  const { reads, clock, observer, told, look } = start();
  const said = storedComment(t0);
  reads.cut.add('r1');
  reads.put('r2', said);
  observer.watch(said, 'r2');
  await look();
  reads.cut.delete('r1');
  clock.nowMs += 1000;
  await look();
  expect({ told, asked: reads.asked.map(({ dataCentre }) => dataCentre) }).toEqual({
    told: [],
    asked: ['r1', 'r1'],
  });
  reads.put('r1', said);
  clock.nowMs += 1000;
  await look();
  expect(told).toHaveLength(1);
});

test('one data centre that does not answer holds up no other one', async () => {
  const { reads, clock, observer, told, look } = start('r1', 'r2', 'r3');
  const said = [storedComment(t0), storedComment(t0 + 1)];
  const { promise: never } = Promise.withResolvers<void>();
  reads.beforeAnswer = ({ dataCentre }) => (dataCentre === 'r2' ? never : Promise.resolve());
  reads.put('r3', ...said);
  for (const [index, one] of said.entries()) {
    observer.watch(one, 'r1');
    void look();
    await expect.poll(() => told.length).toBe(index + 1);
    clock.nowMs += 500;
  }
  expect(reads.asked.filter(({ dataCentre }) => dataCentre === 'r2')).toHaveLength(1);
});

test('what another node of the region has seen is known, and needs no read', async () => {
  const { reads, observer, told, look } = start();
  const { id, clientId, author, streamId } = storedComment(t0);
  observer.heard({ kind: 'replicated', streamId, comments: [{ id, clientId, authorId: author.id }] });
  expect({ isKnown: observer.has(id) }).toEqual({ isKnown: true });
  observer.watch(storedComment(t0), undefined);
  await look();
  expect({ told, asked: reads.asked }).toEqual({ told: [], asked: [] });
});
