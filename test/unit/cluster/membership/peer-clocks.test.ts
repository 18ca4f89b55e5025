/** Offsets of peers' clocks from the probes that they answer (C6). */
import { expect, test } from 'vitest';
import { PeerClocks } from '../../../../cluster/membership/peer-clocks.ts';
import { BootId, NodeId } from '../../../../cluster/model/ids.ts';

const node = NodeId.parse('n1');
const boot = BootId.parse('b1');
const sample = (sentAtMs: number, roundTripMs: number, monotonicMs: number) => ({
  sentAtMs,
  roundTripMs,
  monotonicMs,
  utcMs: 0,
});

test('the offset is that of the fastest of the last samples', () => {
  const clocks = new PeerClocks();
  clocks.note(node, boot, sample(1000, 100, 6080));
  clocks.note(node, boot, sample(2000, 2, 7001));
  clocks.note(node, boot, sample(3000, 50, 8040));
  expect(clocks.offsetMs(node, boot)).toBe(5000);
});

test('a peer that was never asked, or has another boot, is not known', () => {
  const clocks = new PeerClocks();
  expect(clocks.offsetMs(node, boot)).toBeUndefined();
  clocks.note(node, boot, sample(0, 2, 1));
  expect(clocks.offsetMs(node, BootId.parse('b2'))).toBeUndefined();
});

test('after a jump of over 250 ms only what was measured since counts', () => {
  const clocks = new PeerClocks();
  clocks.note(node, boot, sample(1000, 2, 6001));
  clocks.note(node, boot, sample(2000, 40, 17_020));
  expect(clocks.offsetMs(node, boot)).toBe(15_000);
});

test('a wall clock that is off is told once, until it is right again', () => {
  const clocks = new PeerClocks();
  expect(clocks.noteWall(node, 1999)).toBeUndefined();
  expect(clocks.noteWall(node, -60_000)).toBe(-60_000);
  expect(clocks.noteWall(node, -60_001)).toBeUndefined();
  expect(clocks.warnings(() => true)).toEqual([`the clock of ${node} is -60.0 s away from ours: use NTP`]);
  expect(clocks.warnings(() => false)).toEqual([]);
  clocks.noteWall(node, 3);
  expect(clocks.warnings(() => true)).toEqual([]);
});
