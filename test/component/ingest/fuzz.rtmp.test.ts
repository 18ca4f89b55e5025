/** The fuzzer of the ingest for a while, always with the same seed; `tangaza fuzz` runs it for longer, and with others. */
import { expect, test } from 'vitest';
import { fuzz, fuzzFeeds } from '../../../scripts/fuzz/fuzz.ts';
import { replayOf } from '../../../scripts/fuzz/replay.ts';

const seed = 1;
const seconds = 25;

// Goal: whatever a publisher sends costs nobody but itself. Method: scripts/fuzz/fuzz.ts; a finding says how to see it again.
test('mutated sessions break nothing, hang nowhere, and are refused with a reason', async () => {
  const { findings, cases, wireCases } = await fuzz(await fuzzFeeds(), { seed, seconds });
  expect(findings.map((finding) => replayOf(seed, finding))).toEqual([]);
  expect(cases).toBeGreaterThan(100);
  expect(wireCases).toBeGreaterThan(10);
});

test('a fuzzer whose sessions are refused before they are mutated says so', async () => {
  const { findings } = await fuzz([[]], { seed, seconds: 0.1 });
  expect(findings.map(({ error }) => error)).toEqual([
    expect.stringContaining('a session that is not mutated makes no segment'),
  ]);
});
