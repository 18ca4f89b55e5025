/** The simulated bucket of the view: compare-and-set under the product's own `changeView`, and who lived when. */
import { expect, test } from 'vitest';
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import { changeView } from '../../../../cluster/membership/view-store.ts';
import {
  declareDead,
  emptyView,
  findMember,
  join,
  lifeOf,
  type View,
} from '../../../../cluster/membership/view.ts';
import { BootId, NodeId } from '../../../../cluster/model/ids.ts';
import { Random } from '../../../../scripts/simulation/random.ts';
import { viewPort } from '../../../../scripts/simulation/simulated-view.ts';
import { World, type Process } from '../../../../scripts/simulation/world.ts';
import { testMember } from '../../../support/cluster/members.ts';

const [id, bootId] = [NodeId.parse('n0'), BootId.parse('boot-n0')];
const newWorld = (seed: number): World =>
  new World(
    new Random(seed),
    () => {},
    () => {},
  );
const process = (node: string): Process => ({
  id: NodeId.parse(node),
  boot: 1,
  state: 'up',
  isLinked: true,
  inbox: [],
});

/** Time goes on until nothing is left to happen. */
async function settle(
  world: World,
  work: readonly Promise<unknown>[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const all = Promise.allSettled(work);
  do {
    for (let round = 0; round < 24; round += 1) await Promise.resolve();
  } while (world.agenda.step());
  return all;
}

function changing(world: World, node: string, transition: (view: View) => View): Promise<void> {
  const one = process(node);
  const pause = (attempt: number): Promise<void> => world.sleep(one, world.random.next() * 10 * attempt);
  return changeView(viewPort(world, one), { empty: emptyView('simulated'), pause }, transition);
}

test('of ten nodes that join at once each that was answered is in the view, and some had to try again', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = newWorld(seed);
    let tries = 0;
    const ids = Array.from({ length: 10 }, (_, index) => NodeId.parse(`n${index}`));
    const joins = ids.map((node) =>
      changing(world, node, (view) => {
        tries += 1;
        return join(view, testMember(node));
      }),
    );
    const results = await settle(world, joins);
    const answered = ids.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(answered.length).toBeGreaterThan(5);
    for (const node of answered) expect(findMember(world.view, node)).toBeDefined();
    expect(world.viewRevision).toBe(world.view.members.length);
    expect(tries).toBeGreaterThan(10);
  }
});

test('a change may be in the view though its node heard nothing: asked again it changes nothing more', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 2000 && !outcomes.has('taken LOG_UNAVAILABLE'); seed += 1) {
    const world = newWorld(seed);
    const [result] = await settle(world, [changing(world, 'n0', (view) => join(view, testMember('n0')))]);
    const said = result?.status === 'rejected' ? errorCodeOf(result.reason) : 'ok';
    outcomes.add(`${findMember(world.view, id) === undefined ? 'refused' : 'taken'} ${said}`);
    await settle(world, [changing(world, 'n0', (view) => join(view, testMember('n0'))).catch(() => {})]);
    expect(world.viewRevision).toBeLessThanOrEqual(1);
  }
  expect([...outcomes].toSorted()).toContain('taken LOG_UNAVAILABLE');
});

test('what a boot won before it was declared dead and came back is of another life; what it wins then is of this one', () => {
  const world = newWorld(1);
  const put = (atMs: number, view: View): void => {
    world.agenda.after(atMs - world.nowMs, () => world.putView(view, world.viewRevision));
    world.agenda.step();
  };
  put(100, join(world.view, testMember('n0')));
  expect(world.isInLifeOf(id, bootId, 150)).toBe(true);
  const member = findMember(world.view, id);
  if (member === undefined) throw new Error('it has not joined');
  put(200, declareDead(world.view, lifeOf(member), 0));
  expect(world.isInLifeOf(id, bootId, 150)).toBe(false);
  put(300, join(world.view, testMember('n0')));
  expect(world.isInLifeOf(id, bootId, 150)).toBe(false);
  expect(world.isInLifeOf(id, bootId, 350)).toBe(true);
  expect(world.isInLifeOf(id, BootId.parse('other'), 350)).toBe(false);
});
