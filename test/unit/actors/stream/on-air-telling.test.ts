/** What owners tell other regions of their streams, and when (R3). */
import { expect, test } from 'vitest';
import { OnAirTelling, type OwnedStream } from '../../../../actors/stream/on-air-telling.ts';
import { OnAir, streamsOfPart } from '../../../../cluster/contract/regions/on-air.ts';
import { composeEpoch } from '../../../../cluster/ownership/epoch.ts';
import { RegionId } from '../../../../cluster/model/ids.ts';
import { onAirAt } from '../../../support/regions/memory-elsewhere.ts';

class Owner {
  now: OwnedStream;
  constructor(stream: string) {
    const { rtmpUrl: _url, ...now } = onAirAt(0, stream);
    this.now = now;
  }
  get stream() {
    return this.now.stream;
  }
  told = (): OwnedStream => this.now;
  becomes(change: Partial<OwnedStream>): void {
    this.now = { ...this.now, ...change };
  }
}

function telling() {
  const messages: OnAir[] = [];
  const wire = { isAway: false };
  const others = {
    regions: [RegionId.parse('eu')],
    publish: (_event: unknown, body: unknown): boolean => {
      if (!wire.isAway) messages.push(OnAir.parse(body));
      return !wire.isAway;
    },
  };
  const told = new OnAirTelling(others, 'rtmp://n1:1935/live');
  return {
    wire,
    messages,
    look: (owners: readonly Owner[], nowMs: number): readonly string[] => {
      messages.length = 0;
      told.look(owners, nowMs);
      return messages.flatMap(({ streams }) =>
        streams.map(
          ({ stream, isOnAir, nextNumber }) => `${stream} ${isOnAir ? 'on' : 'over'} ${nextNumber}`,
        ),
      );
    },
  };
}

test('a beginning, a new period and an end are told when they happen, and numbers with the next list', () => {
  const { look, messages } = telling();
  const demo = new Owner('demo');
  expect(look([], 0)).toEqual([]);
  expect(look([demo], 100)).toEqual(['demo on 5']);
  expect(messages[0]?.streams[0]?.rtmpUrl).toBe('rtmp://n1:1935/live');
  demo.becomes({ nextNumber: 6 });
  expect(look([demo], 200)).toEqual([]);
  demo.becomes({ discontinuities: 1 });
  expect(look([demo], 300)).toEqual(['demo on 6']);
  demo.becomes({ nextNumber: 7 });
  expect(look([demo], 29_999)).toEqual([]);
  expect(look([demo], 30_000)).toEqual(['demo on 7']);
  demo.becomes({ isOnAir: false, nextNumber: 8 });
  expect(look([], 30_100)).toEqual(['demo over 8']);
  expect(look([], 30_200)).toEqual([]);
});

test('a stream that is given to another node is told of by that one', () => {
  const { look } = telling();
  const demo = new Owner('demo');
  look([demo], 0);
  expect(look([], 100)).toEqual([]);
});

test('a broadcast that begins anew at once is told of after the end of the former one', () => {
  const { look } = telling();
  const former = new Owner('demo');
  look([former], 0);
  former.becomes({ isOnAir: false, nextNumber: 8 });
  const next = new Owner('demo');
  next.becomes({ epoch: composeEpoch({ term: 0, regionOrdinal: 0, n: 2 }) });
  expect(look([next], 100)).toEqual(['demo over 8', 'demo on 5']);
});

test('500 streams are told in parts, and again a second after NATS has taken none', () => {
  const { look, wire, messages } = telling();
  const owners = Array.from({ length: 500 }, (_, index) => new Owner(`s${index}`));
  wire.isAway = true;
  expect(look(owners, 0)).toEqual([]);
  wire.isAway = false;
  expect(look(owners, 999)).toEqual([]);
  expect(look(owners, 1000)).toHaveLength(500);
  expect(messages.map(({ streams }) => streams.length)).toEqual(
    Array.from({ length: 5 }, () => streamsOfPart),
  );
});
