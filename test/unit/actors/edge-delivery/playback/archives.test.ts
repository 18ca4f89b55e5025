/** How an edge reads archives of several regions' streams (C7, R5). */
import { expect, test } from 'vitest';
import { Archives } from '../../../../../actors/edge-delivery/playback/archives.ts';
import { archiveKey } from '../../../../../actors/segment-store/archive-key.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';

const silence = new Promise<never>(() => {});

/** Streams have their home in front of their names. Of those that are mute nothing is read to its end; archives of the others are damaged. */
class Rig {
  readonly outcomes: string[] = [];
  readonly #archives: Archives;

  constructor(mute: readonly string[], what: 'lists' | 'archives' = 'archives') {
    const isMute = (stream: string): boolean => mute.includes(stream.slice(0, 2));
    this.#archives = new Archives({
      clock: new HandClock(),
      metrics: noMetrics,
      source: {
        homeOf: (stream) => (stream.startsWith('own') ? undefined : RegionId.parse(stream.slice(0, 2))),
        list: async (stream) => (what === 'lists' && isMute(stream) ? silence : [archiveKey(stream, 1, 5)]),
        read: async (stream) => (isMute(stream) ? silence : new Uint8Array()),
      },
    });
  }

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
  const rig = new Rig(['eu']);
  for (let number = 1; number <= 9; number += 1) rig.find(`eu-${number}`);
  await settled();
  for (const name of ['us-1', 'own-1']) rig.find(name);
  await settled();
  expect({ outcomes: rig.outcomes }).toEqual({ outcomes: ['eu-9 OVERLOADED', 'us-1 none', 'own-1 none'] });
});

// Goal: other regions cannot fill this edge's memory with their past, however many there are, and keep nobody from the past of its own. Method: all
// places of three mute homes are taken; then one of a fourth home and one of the own region are asked for.
test('archives of all other regions together have a bound, and those of the own region have places besides', async () => {
  const rig = new Rig(['eu', 'us', 'ap']);
  for (const home of ['eu', 'us', 'ap'])
    for (let number = 0; number < 8; number += 1) rig.find(`${home}-${number}`);
  await settled();
  for (const name of ['af-1', 'own-1']) rig.find(name);
  await settled();
  expect({ outcomes: rig.outcomes }).toEqual({ outcomes: ['af-1 OVERLOADED', 'own-1 none'] });
});

test('of each home so many lists are read at once and so many wait, and further ones are refused', async () => {
  const rig = new Rig(['eu'], 'lists');
  for (let number = 1; number <= 257; number += 1) rig.find(`eu-${number}`);
  await settled();
  for (const name of ['us-1', 'own-1']) rig.find(name);
  await settled();
  expect({ outcomes: rig.outcomes }).toEqual({ outcomes: ['eu-257 OVERLOADED', 'us-1 none', 'own-1 none'] });
});
