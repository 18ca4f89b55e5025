/** How an edge reads archives of several regions' streams (C7, R5). */
import { expect, test } from 'vitest';
import { Archives } from '../../../../../actors/edge-delivery/playback/archives.ts';
import { archiveKey } from '../../../../../actors/segment-store/archive-key.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';

/** Streams have their home in front of their names. Archives of `eu` are never read to their end; those of the others are damaged. */
class Rig {
  readonly outcomes: string[] = [];
  readonly #archives = new Archives({
    clock: new HandClock(),
    source: {
      homeOf: (stream) => (stream.startsWith('own') ? undefined : RegionId.parse(stream.slice(0, 2))),
      list: async (stream) => [archiveKey(stream, 1, 5)],
      read: (stream) => (stream.startsWith('eu') ? new Promise(() => {}) : Promise.resolve(new Uint8Array())),
    },
  });

  /** Notes what came of it, once it is over. */
  find(name: string): void {
    void this.#archives
      .find(StreamId.parse(name), () => true)
      .then(() => 'none', errorCodeOf)
      .then((outcome) => this.outcomes.push(`${name} ${outcome}`));
  }
}

// Goal: a home whose edges are mute keeps nobody from the past of another region's streams. Method: all places of one home are taken, and one more is
// asked for; then a stream of another home and one of the own region.
test('archives of a home that answers late hold up none of another home', async () => {
  const rig = new Rig();
  for (let number = 1; number <= 9; number += 1) rig.find(`eu-${number}`);
  await settled();
  for (const name of ['us-1', 'own-1']) rig.find(name);
  await settled();
  expect({ outcomes: rig.outcomes }).toEqual({ outcomes: ['eu-9 OVERLOADED', 'us-1 none', 'own-1 none'] });
});
