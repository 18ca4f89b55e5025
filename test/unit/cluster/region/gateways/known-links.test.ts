/** Since when a link is down, as the nodes of a region tell it each other (R2). */
import { expect, test } from 'vitest';
import { BootId, NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../../../cluster/observe/logger.ts';
import { KnownLinks } from '../../../../../cluster/region/gateways/known-links.ts';
import { Serving } from '../../../../../cluster/region/gateways/serving.ts';
import { HandClock } from '../../../../support/regions/hand-clock.ts';

const us = RegionId.parse('us');

class Node {
  readonly serving = new Serving();
  readonly links: KnownLinks;
  readonly #clock: HandClock;

  constructor(clock: HandClock) {
    this.#clock = clock;
    this.links = new KnownLinks({ regions: [us], serving: this.serving, clock, logger, alsoWrong: () => [] });
  }

  hears(isUp: boolean): void {
    const about = { node: NodeId.parse('a'), bootId: BootId.parse('boot-a'), other: us };
    this.serving.note({ ...about, isUp, bytesIn: 0, bytesOut: 0 }, this.#clock.runningMs());
    this.links.look();
  }
}

// Goal: a node that is started anew during a cut does not say that the cut began with it. Method: a second node, 300 s after the link went down.
test('a node that begins during a cut learns from another one when that began', async () => {
  const clock = new HandClock();
  const old = new Node(clock);
  old.hears(true);
  old.hears(false);
  await clock.pass(300_000);
  const young = new Node(clock);
  await clock.pass(1000);
  young.links.heardDown(us, old.links.downForMs(us) ?? 0);
  expect({ old: old.links.downForMs(us), young: young.links.downForMs(us) }).toEqual({
    old: 301_000,
    young: 301_000,
  });
  old.links.heardDown(us, 1000);
  expect(old.links.downForMs(us)).toBe(301_000);
});

test('while the link works nobody is believed who says that it does not', () => {
  const node = new Node(new HandClock());
  node.hears(true);
  node.links.heardDown(us, 300_000);
  expect({ downForMs: node.links.downForMs(us), isUp: node.links.all()[0]?.isUp }).toEqual({
    downForMs: undefined,
    isUp: true,
  });
});
