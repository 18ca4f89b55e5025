/** The feeds of three nodes over one store, with a network that loses, doubles and delays, from a seed (A7). */
import { array, assert, asyncProperty, integer, nat, oneof, record, constant } from 'fast-check';
import { expect, test } from 'vitest';
import { FeedNode, FeedPage } from '../support/audience/feed-node.ts';
import { JumpingClock } from '../support/ports/jumping-clock.ts';
import { MemoryNetwork } from '../support/audience/memory-audience-events.ts';
import { MemoryComments, MemoryCommentStore } from '../support/ports/stores/memory-comment-store.ts';
import { commentStream, storedComment } from '../support/ports/stores/stored-comments.ts';

const beganMs = 1_000_000;
const names = ['n1', 'n2', 'n3'];

const node = nat({ max: names.length - 1 });
const step = oneof(
  {
    weight: 8,
    arbitrary: record({ kind: constant('post' as const), node, lateMs: integer({ min: 0, max: 90_000 }) }),
  },
  {
    weight: 3,
    arbitrary: record({
      kind: constant('hide' as const),
      node,
      which: nat({ max: 30 }),
      isHidden: oneof(constant(true), constant(false)),
    }),
  },
  {
    weight: 5,
    arbitrary: record({ kind: constant('wait' as const), seconds: integer({ min: 0, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: record({
      kind: constant('fate' as const),
      fate: oneof(
        constant('arrives' as const),
        constant('lost' as const),
        constant('twice' as const),
        constant('late' as const),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('nats' as const),
      node,
      isDown: oneof(constant(true), constant(false)),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('store' as const),
      node,
      isDown: oneof(constant(true), constant(false)),
    }),
  },
  { weight: 1, arbitrary: record({ kind: constant('mode' as const), node, slowSeconds: nat({ max: 100 }) }) },
);
type Step = typeof step extends { generate: (...args: never[]) => { value: infer S } } ? S : never;

/** Lets what is under way end: the store answers within some turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) await Promise.resolve();
}

function makeRegion() {
  const clock = new JumpingClock();
  clock.nowMs = beganMs;
  const network = new MemoryNetwork();
  const late: (() => void)[] = [];
  const shared = new MemoryComments();
  const nodes = names.map((name) => {
    const store = new MemoryCommentStore(shared);
    const events = network.open();
    const one = new FeedNode({ name, clock, store, events });
    return { store, events, node: one, page: new FeedPage(one.feed) };
  });
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 1) {
      clock.nowMs += 1000;
      for (const {
        node: { feed },
      } of nodes)
        feed.tick();
      for (const deliver of late.splice(0)) deliver();
      await settle();
    }
  };
  return { clock, network, late, shared, nodes, pass };
}

type Region = ReturnType<typeof makeRegion>;
const fates: Readonly<
  Record<'arrives' | 'lost' | 'twice' | 'late', (region: Region, deliver: () => void) => void>
> = {
  arrives: (_, deliver) => deliver(),
  lost: () => {},
  twice: (_, deliver) => {
    deliver();
    deliver();
  },
  late: ({ late }, deliver) => void late.unshift(deliver),
};

async function perform(region: Region, one: Step, number: number): Promise<void> {
  const { clock, network, nodes, shared } = region;
  const at = 'node' in one ? nodes[one.node] : undefined;
  switch (one.kind) {
    case 'post': {
      const comment = storedComment({ atMs: Math.max(0, clock.nowMs - one.lateMs), number });
      await at?.node.post(comment).catch(() => {});
      break;
    }
    case 'hide': {
      const id = [...shared.rows.keys()][one.which];
      if (id !== undefined) await at?.node.hide(id, one.isHidden).catch(() => {});
      break;
    }
    case 'wait':
      await region.pass(one.seconds);
      break;
    case 'fate':
      network.route = (deliver) => fates[one.fate](region, deliver);
      break;
    case 'nats':
      at?.events.setDown(one.isDown);
      break;
    case 'mode': {
      const mode = { mode: 'open', slowSeconds: one.slowSeconds } as const;
      await at?.store.setMode(commentStream, mode, clock.nowMs).then(
        () => at.node.feed.told({ kind: 'mode', streamId: commentStream, mode }),
        () => {},
      );
      break;
    }
    default:
      if (at !== undefined) at.store.isDown = one.isDown;
  }
  await settle();
}

// Goal: whatever becomes of events, every page ends up with what the store has; no comment is told twice as a new one, and a page that
// moves to another node lacks nothing. Method: any posts, hides, losses, outages of NATS and of the store; then all is well for 70 s.
test('whatever becomes of events, each page is told of each comment once, and of its last state', async () => {
  await assert(
    asyncProperty(array(step, { maxLength: 60 }), async (steps) => {
      const region = makeRegion();
      const { nodes, shared, network, clock } = region;
      for (const { page } of nodes) await page.resume();
      for (const [number, one] of steps.entries()) await perform(region, one, number);
      network.route = (deliver) => deliver();
      for (const { events, store } of nodes) {
        store.isDown = false;
        events.setDown(false);
      }
      await region.pass(70);
      const wanted = [...shared.rows.values()].filter((row) => row.hidden === undefined);
      for (const {
        page,
        node: { feed },
      } of nodes) {
        expect({ twice: page.added.length - new Set(page.added).size }).toEqual({ twice: 0 });
        expect(page.shown).toEqual(wanted.map(({ id }) => id).toSorted());
        const moved = new FeedPage(feed);
        const { resume, mode } = await moved.resume({ lastAtMs: beganMs });
        expect({ resume, mode }).toEqual({
          resume: 'complete',
          mode: shared.modes.get(commentStream)?.mode ?? { mode: 'open', slowSeconds: 0 },
        });
        expect(moved.shown).toEqual(page.shown);
        expect(clock.nowMs).toBeGreaterThan(beganMs);
      }
    }),
    { numRuns: 300 },
  );
});
