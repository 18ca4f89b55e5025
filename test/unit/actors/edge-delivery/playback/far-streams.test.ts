/** Streams of other regions at an edge: when they are needed, when requests go on, and for how long the log has stood still (R4). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FarStreams } from '../../../../../actors/edge-delivery/playback/far-streams.ts';
import { defaultHoldLimits } from '../../../../../actors/edge-delivery/playback/holds.ts';
import { StreamFollower } from '../../../../../actors/edge-delivery/playback/stream-follower.ts';
import type { Epoch } from '../../../../../cluster/model/ids.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import type { StreamElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { by, stream } from '../../../../support/ports/records.ts';
import { epochOf } from '../../../../support/ports/relayed.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';
import { MemoryNeeds } from '../../../../support/regions/memory-needs.ts';
import { MemoryRegions } from '../../../../support/regions/memory-regions.ts';

const eu = RegionId.parse('eu');

class Rig {
  readonly clock = new HandClock();
  readonly needs = new MemoryNeeds();
  readonly regions = new MemoryRegions({ regions: ['eu', 'us'], clock: this.clock });
  readonly log = new MemoryIndexLog();
  homes = new Map<StreamId, Epoch>([[stream, by().epoch]]);
  readonly far = new FarStreams({
    clock: this.clock,
    needs: this.needs,
    others: this.regions.of('us'),
    elsewhere: { homeOf: (id) => this.#homeOf(id), ask: async (id) => this.#homeOf(id) },
  });
  readonly followers: StreamFollower[] = [];

  follow(id = stream): StreamFollower {
    const ports = { clock: this.clock, log: this.log, logger: silentLogger, holdLimits: defaultHoldLimits };
    const follower = new StreamFollower(id, ports);
    this.followers.push(follower);
    return follower;
  }

  /** A request for the stream. @returns whether it still waits */
  request(follower: StreamFollower): () => boolean {
    let isWaiting = true;
    const end = (): void => {
      isWaiting = false;
    };
    void this.far.ready(follower).then(end);
    return () => isWaiting;
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 250) {
      await this.clock.pass(250);
      this.far.tick();
    }
  }

  #homeOf(id: StreamId): StreamElsewhere | undefined {
    const epoch = this.homes.get(id);
    if (epoch === undefined) return undefined;
    const unknown = { nextNumber: 0, discontinuities: 0, availabilityStartMs: 0, rtmpUrl: '', sinceMs: 0 };
    return { stream: id, region: eu, epoch, isOnAir: true, ageMs: 0, ...unknown };
  }
}

let rig = new Rig();
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  rig.far.close();
  for (const follower of rig.followers) follower.close();
});

test('a request for a stream of another region says so at once, and waits until its log is here', async () => {
  const follower = rig.follow();
  const isWaiting = rig.request(follower);
  await settled();
  expect(rig.needs.needed).toEqual([stream]);
  rig.needs.tell([{ stream, sequence: 1, isAtHead: false }]);
  await rig.pass(500);
  expect(isWaiting()).toBe(true);
  rig.needs.tell([{ stream, sequence: 1, isAtHead: true }]);
  await rig.pass(250);
  expect({ isWaiting: isWaiting(), whatFor: 'a record that is not folded yet' }).toMatchObject({
    isWaiting: true,
  });
  await rig.log.append(stream, { kind: 'open', ...by() }, 0);
  await rig.pass(250);
  expect(isWaiting()).toBe(false);
});

test('nobody waits longer than 5 s, and who comes later not at all', async () => {
  const follower = rig.follow();
  const first = rig.request(follower);
  await rig.pass(4750);
  expect(first()).toBe(true);
  await rig.pass(500);
  const second = rig.request(follower);
  await settled();
  expect({ first: first(), second: second() }).toEqual({ first: false, second: false });
});

test('it is said every 5 s while the stream is followed, and then no more', async () => {
  const follower = rig.follow();
  rig.request(follower);
  await settled();
  rig.needs.tell([{ stream, sequence: 0, isAtHead: true }]);
  await rig.pass(20_000);
  expect(rig.needs.needed.length).toBeGreaterThanOrEqual(4);
  expect(rig.needs.needed.length).toBeLessThanOrEqual(6);
  follower.close();
  await rig.pass(1000);
  const said = rig.needs.needed.length;
  await rig.pass(20_000);
  expect(rig.needs.needed.length).toBe(said);
});

test('10,000 streams that exist nowhere are answered at once, and nothing is said', async () => {
  rig.homes = new Map();
  const waits = Array.from({ length: 10_000 }, (_, at) => rig.request(rig.follow(StreamId.parse(`s${at}`))));
  await settled();
  rig.far.tick();
  expect({ waiting: waits.filter((isWaiting) => isWaiting()).length, needed: rig.needs.needed }).toEqual({
    waiting: 0,
    needed: [],
  });
});

test('a stream that an owner of this region has under a higher epoch needs nobody', async () => {
  await rig.log.append(stream, { kind: 'open', ...by({ epoch: epochOf(1, 1) }) }, 0);
  const follower = rig.follow();
  await follower.ready();
  const isWaiting = rig.request(follower);
  await rig.pass(6000);
  expect({ isWaiting: isWaiting(), needed: rig.needs.needed }).toEqual({ isWaiting: false, needed: [] });
});

test('a stream that begins elsewhere while somebody waits for it here is needed from then on', async () => {
  rig.homes = new Map();
  rig.request(rig.follow());
  await rig.pass(1000);
  rig.homes = new Map([[stream, by().epoch]]);
  await rig.pass(250);
  expect(rig.needs.needed).toEqual([stream]);
});

test('while the link is cut it says for how long, and who comes meanwhile gets what is here', async () => {
  const follower = rig.follow();
  rig.request(follower);
  await settled();
  rig.needs.tell([{ stream, sequence: 0, isAtHead: true }]);
  await rig.pass(500);
  expect(rig.far.staleSeconds(follower)).toBe(0);
  rig.regions.cut('us', 'eu');
  await rig.pass(10_000);
  expect(rig.far.staleSeconds(follower)).toBe(10);
  const again = rig.follow();
  const isWaiting = rig.request(again);
  await rig.pass(250);
  expect({ isWaiting: isWaiting(), seconds: rig.far.staleSeconds(again) }).toEqual({
    isWaiting: false,
    seconds: 10.25,
  });
  rig.regions.heal('us', 'eu');
  expect(rig.far.staleSeconds(again)).toBe(0);
});

test('where no relayer answers, the log is called stale after 12 s, though the link works', async () => {
  const follower = rig.follow();
  rig.request(follower);
  await settled();
  rig.needs.tell([{ stream, sequence: 0, isAtHead: true }]);
  await rig.pass(11_750);
  expect(rig.far.staleSeconds(follower)).toBe(0);
  await rig.pass(1000);
  expect(rig.far.staleSeconds(follower)).toBeGreaterThan(12);
  rig.needs.tell([{ stream, sequence: 0, isAtHead: true }]);
  expect(rig.far.staleSeconds(follower)).toBe(0);
});
