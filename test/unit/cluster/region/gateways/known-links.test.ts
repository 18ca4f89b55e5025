/** Since when a link is down, as the nodes of a region tell it each other (R2). */
import { expect, test } from 'vitest';
import { BootId, NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../../../cluster/observe/logger.ts';
import { KnownLinks } from '../../../../../cluster/region/gateways/known-links.ts';
import { Serving } from '../../../../../cluster/region/gateways/serving.ts';
import { RegionClock } from '../../../../../cluster/region/region-clock.ts';
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

  hears(isUp: boolean, measured: { readonly offsetMs?: number } = {}): void {
    const about = { node: NodeId.parse('a'), bootId: BootId.parse('boot-a'), other: us };
    this.serving.note({ ...about, ...measured, isUp, bytesIn: 0, bytesOut: 0 }, this.#clock.runningMs());
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
  const downForMs = (node: Node): number => node.links.whileDown(us).downForMs ?? 0;
  young.links.heardDown(us, downForMs(old));
  expect({ old: downForMs(old), young: downForMs(young) }).toEqual({
    old: 301_000,
    young: 301_000,
  });
  old.links.heardDown(us, 1000);
  expect(downForMs(old)).toBe(301_000);
});

test('while the link works nobody is believed who says that it does not', () => {
  const node = new Node(new HandClock());
  node.hears(true);
  node.links.heardDown(us, 300_000);
  expect({ whileDown: node.links.whileDown(us), isUp: node.links.all()[0]?.isUp }).toEqual({
    whileDown: {},
    isUp: true,
  });
});

// Goal: what two nodes of a region write during a cut is ordered by one clock. Method: the clock there is 30 s behind, as the old node heard before the cut.
// The young one begins in it, and is then told by a third one that remembers something else.
test('a node that begins during a cut takes the clock of the other region as its neighbours remember it, until the link measures it', async () => {
  const clock = new HandClock();
  const old = new Node(clock);
  old.hears(true, { offsetMs: -30_000 });
  const isSaidWhileUp = old.links.warnings().length === 1;
  old.hears(false);
  const young = new Node(clock);
  const common = new RegionClock(RegionId.parse('ww'), {
    regions: [us],
    links: () => young.links.all(),
    onLink: (listener) => young.links.onChange(listener),
  });
  const alone = common.common(100_000);
  const { downForMs = 0, offsetMs } = old.links.whileDown(us);
  young.links.heardDown(us, downForMs, offsetMs);
  const told = common.common(100_000);
  young.links.heardDown(us, downForMs, 5000);
  const toldOther = common.common(100_000);
  young.hears(true, { offsetMs: -20_000 });
  expect({
    isSaidWhileUp,
    isSaidWhileDown: old.links.warnings().length > 0,
    alone,
    told,
    toldOther,
    linked: common.common(100_000),
  }).toEqual({
    isSaidWhileUp: true,
    isSaidWhileDown: false,
    alone: 100_000,
    told: 70_000,
    toldOther: 70_000,
    linked: 80_000,
  });
});
