/** In which state a stream is for its viewers, by its log. */
import { expect, test } from 'vitest';
import { streamStanding, type Heard } from '../../../../../actors/edge-delivery/public/stream-state.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { fullLadder } from '../../../../support/ports/records.ts';

const startMs = 1_700_000_000_000;
const hourMs = 3_600_000;
const heard = (change: Partial<Heard> = {}): Heard => ({
  utcMs: startMs + 60_000,
  silentMs: 0,
  retentionMs: hourMs,
  ...change,
});
const atMs = (log: LogBuilder): number => log.entries.at(-1)?.record.atMs ?? 0;

test('a stream has not begun until its first segment is committed', () => {
  const log = new LogBuilder();
  expect(streamStanding(log.fold(), heard())).toEqual({ state: 'notBegun', sinceMs: undefined });
  log.open().clock().source();
  expect(streamStanding(log.fold(), heard())).toEqual({ state: 'notBegun', sinceMs: undefined });
  log.segment();
  expect(streamStanding(log.fold(), heard()).state).toBe('live');
});

test('it is live since its broadcast began, whatever periods and owners it had since', () => {
  const log = new LogBuilder().open().clock();
  const beganMs = atMs(log);
  log.segments(3).clock().segments(2).takeOver().clock().segment();
  expect(streamStanding(log.fold(), heard())).toEqual({ state: 'live', sinceMs: beganMs });
});

test.for([
  { what: 'segments of 2 s', duration90k: 180_000, limitMs: 3500 },
  { what: 'segments of 10 s', duration90k: 900_000, limitMs: 11_500 },
  { what: 'segments under the usual length', duration90k: 45_000, limitMs: 3500 },
])('with $what nothing heard for $limitMs ms is an interruption, since the last of it', (row) => {
  const log = new LogBuilder().open().clock().segments(6, { duration90k: row.duration90k }).source();
  const heardMs = atMs(log);
  expect(streamStanding(log.fold(), heard({ silentMs: row.limitMs })).state).toBe('live');
  expect(streamStanding(log.fold(), heard({ silentMs: row.limitMs + 1 }))).toEqual({
    state: 'interrupted',
    sinceMs: heardMs,
  });
});

test('one long segment of some time ago does not make it slow to see an interruption', () => {
  const log = new LogBuilder().open().clock().segment({ duration90k: 900_000 }).segments(5);
  expect(streamStanding(log.fold(), heard({ silentMs: 3501 })).state).toBe('interrupted');
});

test('an ended one is a recording while a segment of it is kept, and ended then', () => {
  const log = new LogBuilder().open().clock().segments(5).end();
  const sinceMs = atMs(log);
  const mediaEndMs = startMs + 10_000;
  const at = (utcMs: number) => streamStanding(log.fold(), heard({ utcMs, silentMs: hourMs }));
  expect(at(mediaEndMs + hourMs - 1)).toEqual({ state: 'recording', sinceMs });
  expect(at(mediaEndMs + hourMs)).toEqual({ state: 'ended', sinceMs });
});

test('of gaps and absent rungs alone there is no recording', () => {
  const absent = fullLadder.map(({ name }) => name);
  const log = new LogBuilder().open().clock().gap().segment({ absent }).end();
  expect(streamStanding(log.fold(), heard()).state).toBe('ended');
});

test('one that begins again stays a recording until its first new segment, and is live since it began again', () => {
  const log = new LogBuilder().open().clock().segments(2).end();
  const endedMs = atMs(log);
  log.takeOver().clock(undefined, 30);
  const beganMs = atMs(log);
  expect(streamStanding(log.fold(), heard())).toEqual({ state: 'recording', sinceMs: endedMs });
  log.segment();
  expect(streamStanding(log.fold(), heard())).toEqual({ state: 'live', sinceMs: beganMs });
});
