import { expect, test } from 'vitest';
import {
  addNamedKeys,
  isLogWhole,
  isSweeper,
  splitArchives,
  type StoredArchive,
} from '../../../../actors/control/sweep-plan.ts';
import { fromSnapshot, toSnapshot } from '../../../../actors/media/timeline/snapshot.ts';
import { byAge, parseArchiveKey } from '../../../../actors/segment-store/archive-key.ts';
import { NodeId, RegionId } from '../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../support/ports/log-builder.ts';
import { stream } from '../../../support/ports/records.ts';

const region = RegionId.parse('r1');
const hourMs = 3_600_000;
const nowMs = 1_800_000_000_000;

const member = (name: string, change: { isAlive?: boolean; region?: RegionId; roles?: string[] } = {}) => ({
  id: NodeId.parse(name),
  region,
  roles: ['control', 'ingest'],
  isAlive: true,
  ...change,
});
const names = ['n1', 'n2', 'n3'];
const sweepers = (members: readonly ReturnType<typeof member>[]): readonly string[] =>
  members.map(({ id }) => id).filter((id) => isSweeper(id, region, members));

test('exactly one node of a region sweeps, and when it dies exactly one other', () => {
  const [first] = sweepers(names.map((name) => member(name)));
  const after = names.map((name) => member(name, { isAlive: name !== first }));
  expect(sweepers(names.map((name) => member(name)))).toEqual([first]);
  expect(sweepers(after)).toHaveLength(1);
  expect(sweepers(after)).not.toContain(first);
});

test('dead nodes, nodes of other regions and nodes without the control role do not sweep', () => {
  expect(
    sweepers([
      member('n1', { isAlive: false }),
      member('n2', { region: RegionId.parse('r2') }),
      member('n3', { roles: ['edge-delivery'] }),
    ]),
  ).toEqual([]);
});

test.each([
  ['a log that reaches beyond its archives is whole', 10, [4, 10], true],
  ['a log without archives is whole', 3, [], true],
  ['a log that ends before an archive went back', 9, [4, 10], false],
])('%s', (_, segments, archives, expected) => {
  const timeline = new LogBuilder().open().clock().segments(segments).fold();
  expect(
    isLogWhole(
      timeline,
      archives.map((nextNumber) => ({ key: '', epoch: 1, nextNumber })),
    ),
  ).toBe(expected);
});

test('an empty log says nothing', () => {
  expect(isLogWhole(new LogBuilder().fold(), [])).toBe(false);
});

const archive = (epoch: number, nextNumber: number, ageHours: number): StoredArchive => ({
  key: `index/demo/${epoch}-${nextNumber}.json`,
  epoch,
  nextNumber,
  storedAtMs: nowMs - ageHours * hourMs,
});

test('archives older than retention go, those within stay', () => {
  const { kept, expired } = splitArchives([archive(1, 10, 30), archive(1, 9, 20), archive(1, 100, 1)], {
    nowMs,
    retentionMs: 24 * hourMs,
  });
  expect(expired.map(({ nextNumber }) => nextNumber)).toEqual([10]);
  expect(kept.map(({ nextNumber }) => nextNumber)).toEqual([9, 100]);
});

test('the newest archive stays for ever, newest by epoch and number and not by text', () => {
  const archives = [archive(2, 100, 100), archive(2, 99, 100), archive(1, 500, 100)];
  const { kept } = splitArchives(archives, { nowMs, retentionMs: 24 * hourMs });
  expect(kept).toEqual([archives[0]]);
});

test('keys of archives are parsed, other keys are none', () => {
  expect(parseArchiveKey('index/demo/67108865-120.json')).toEqual({
    key: 'index/demo/67108865-120.json',
    epoch: 67_108_865,
    nextNumber: 120,
  });
  expect(parseArchiveKey('index/demo/notes.json')).toBeUndefined();
  expect(parseArchiveKey('demo/1/h264-720p/0-0123456789abcdef')).toBeUndefined();
  expect([archive(1, 10, 0), archive(1, 9, 0)].toSorted(byAge).map(({ nextNumber }) => nextNumber)).toEqual([
    9, 10,
  ]);
});

test('a fold names its inits, its committed media and what waits, and the same after a trip through an archive', () => {
  const timeline = new LogBuilder().open().clock().segments(2).fold();
  const direct = new Set<string>();
  addNamedKeys(direct, stream, timeline);
  const archived = new Set<string>();
  const restored = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(timeline))));
  if (restored !== undefined) addNamedKeys(archived, stream, restored);
  const [period] = timeline.periods;
  const rungs = Object.keys(period?.inits ?? {}).length;
  const media = period?.segments.flatMap(({ renditions }) => Object.keys(renditions)) ?? [];
  expect(rungs).toBeGreaterThan(0);
  expect(direct.size).toBe(rungs + media.length);
  expect([...direct].every((key) => key.startsWith(`demo/${period?.id}/`))).toBe(true);
  expect(archived).toEqual(direct);
});
