/** How an edge fetches objects of several other regions (R5). */
import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Crossings } from '../../../../../actors/edge-delivery/crossing/crossings.ts';
import type { ObjectAsked } from '../../../../../actors/edge-delivery/crossing/fetch-across.ts';
import { Puller } from '../../../../../actors/edge-delivery/crossing/puller.ts';
import { SilentSources } from '../../../../../actors/edge-delivery/crossing/silent-sources.ts';
import type { PulledObject } from '../../../../../cluster/contract/edge-actions.ts';
import { PeriodId, RegionId, RenditionName, Sha256, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { nothingElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { MemorySegmentStore } from '../../../../support/ports/memory-segment-store.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';
import { edgeAt } from '../../../../support/regions/memory-elsewhere.ts';

const edgeOf = (id: string) => edgeAt(id.slice(0, 2), id);

/** The edges of region `eu` never answer; those of `us` do at once. */
class Rig {
  readonly clock = new HandClock();
  readonly states: string[] = [];
  readonly #puller: Puller;

  constructor() {
    const ports = { clock: this.clock, logger: silentLogger, metrics: noMetrics };
    this.#puller = new Puller({
      ...ports,
      store: new MemorySegmentStore(),
      elsewhere: { ...nothingElsewhere, edges: () => ['eu-1', 'eu-2', 'us-1'].map(edgeOf) },
      regions: ['eu', 'us'].map((region) => RegionId.parse(region)),
      roundTripMs: () => undefined,
      fetchAcross: { object: (asked) => this.#answer(asked) },
      crossings: new Crossings(ports),
      silent: new SilentSources(ports),
    });
  }

  /** Notes what came of it, once it is over. */
  pull(object: PulledObject): void {
    void this.#puller.pull(object, 60_000).then(
      (state) => this.states.push(state),
      (error: unknown) => this.states.push(String(error)),
    );
  }

  #answer({ httpUrl, onBegin, key }: ObjectAsked): Promise<Uint8Array> {
    if (httpUrl.includes('eu')) return new Promise(() => {});
    onBegin?.();
    return Promise.resolve(bodyOf(key.split('/')[3]?.split('-')[0]));
  }
}

const bodyOf = (startTime: string | undefined): Uint8Array => new TextEncoder().encode(startTime);

function objectOf(home: string, startTime: number): PulledObject {
  const body = bodyOf(String(startTime));
  return {
    streamId: StreamId.parse('demo'),
    period: PeriodId.parse(1),
    rendition: RenditionName.parse('h264-240p'),
    media: { sha256: Sha256.parse(hash('sha256', body)), bytes: body.byteLength, startTime },
    home: RegionId.parse(home),
  };
}

// Goal: a region whose NATS can be reached and whose HTTP port is blocked stops no other region's streams. Method: as many objects of it as fill
// all places and wait behind them; then one of another region, before any time has passed.
test('objects of a home whose edges are mute hold up no object of another home', async () => {
  const rig = new Rig();
  for (let startTime = 0; startTime < 128; startTime += 1) rig.pull(objectOf('eu', startTime));
  await settled();
  rig.pull(objectOf('us', 1000));
  await settled();
  expect({ states: rig.states }).toEqual({ states: ['stored'] });
});

test('of one home 128 objects are under way or wait, and what is beyond them is refused', async () => {
  const rig = new Rig();
  for (let startTime = 0; startTime <= 128; startTime += 1) rig.pull(objectOf('eu', startTime));
  await settled();
  expect({ states: rig.states }).toEqual({
    states: ['TangazaError: 112 operations wait for objects of eu already.'],
  });
});
