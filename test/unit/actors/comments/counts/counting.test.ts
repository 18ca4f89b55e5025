/** What was counted anew is told: here at once, and to other regions as soon as the database takes it. */
import { expect, test } from 'vitest';
import { Counting } from '../../../../../actors/comments/counts/counting.ts';
import { Counts } from '../../../../../actors/comments/counts/counts.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { news, storedComment } from '../../../../support/audience/written.ts';
import { recordingLogger, type LogLine } from '../../../../support/ingest/rtmp-recorder.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const sports = StreamId.parse('sports');
const { id } = storedComment(1000);
const inSports = storedComment(2000, { streamId: sports }).id;

function rig(note: () => Promise<void>) {
  const clock = new JumpingClock();
  const lines: LogLine[] = [];
  const state: { error: Error | undefined } = { error: undefined };
  const likes = async () => {
    if (state.error !== undefined) throw state.error;
    return new Map();
  };
  const counts = new Counts({ clock, recountLikes: likes, store: { likes, replies: async () => new Map() } });
  const told: StreamId[] = [];
  const noted: StreamId[] = [];
  const counting = new Counting({
    clock,
    logger: recordingLogger(lines),
    counts,
    outlet: { told: (change) => void (change.kind === 'counts' && told.push(change.streamId)) },
    changedCounts: {
      note: (stream) => {
        noted.push(stream);
        return note();
      },
    },
  });
  return { clock, lines, state, counts, counting, told, noted };
}

test('a database that takes no notes for other regions holds nothing back here', async () => {
  const { counts, counting, told, noted } = rig(() => new Promise(() => {}));
  counts.changed([id, inSports]);
  await counting.tellChanged();
  counts.changed([id]);
  await counting.tellChanged();
  expect({ told, noted }).toEqual({ told: [news, sports, news], noted: [news, sports, news] });
});

test('what another region could not be told of is counted as left out', async () => {
  const { counts, counting, told, lines } = rig(() => Promise.reject(new TangazaError('UNAVAILABLE')));
  counts.changed([id]);
  await counting.tellChanged();
  await expect.poll(() => counts.leftOut).toBe(1);
  expect({ told, lines }).toEqual({ told: [news], lines: [] });
});

test('a fault is logged once a minute, and a database that is away is not', async () => {
  const { clock, counts, counting, state, lines } = rig(async () => {});
  state.error = new TangazaError('UNAVAILABLE');
  counts.changed([id]);
  await counting.tellChanged();
  expect({ lines }).toEqual({ lines: [] });
  state.error = new TypeError('no such column');
  for (const nowMs of [2000, 2500, 61_999, 62_000]) {
    clock.nowMs = nowMs;
    await Promise.all([counting.tellChanged(), counting.tellRead()]);
  }
  expect({ times: lines.length }).toEqual({ times: 2 });
});
