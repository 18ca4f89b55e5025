import { expect, test } from 'vitest';
import { figuresOf } from '../../../../actors/stream/stream-figures.ts';
import { SessionId } from '../../../../cluster/model/ids.ts';
import { OwnerHarness } from '../../../support/ingest/owner-harness.ts';
import { stream } from '../../../support/ports/records.ts';

// Goal: an operator's alert sees what comes in and what goes out. Method: a publisher reports, one segment becomes a gap, time passes.
test('a stream tells its bitrate in bytes, its segments, its gaps and how far each rendition is behind', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const report = {
    streamId: stream,
    sessionId: SessionId.parse('s1'),
    bitrateBps: 2_400_000,
    lastPacketAgeMs: 0,
    warnings: [],
  };
  owner.do({ kind: 'input', report });
  owner.offer(owner.segment(period, 0));
  owner.pass(4100);
  const figures = figuresOf(owner.state, new Map([['gap', 1]]), owner.now);
  expect(figures).toMatchObject({
    stream,
    inputBytesPerSecond: 300_000,
    segments: 1,
    gaps: 1,
    absentRenditions: 0,
  });
  const later = { ...owner.now, utcMs: owner.now.utcMs + 1500 };
  const after = figuresOf(owner.state, new Map(), later);
  expect(after.lags.length).toBeGreaterThan(1);
  expect(after.lags).toEqual(figures.lags.map(({ name, lagMs }) => ({ name, lagMs: lagMs + 1500 })));
});
