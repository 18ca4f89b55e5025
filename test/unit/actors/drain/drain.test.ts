/** A drain: in order, within its bound, and never of the last node by mistake (C2). */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Drain, type DrainPorts } from '../../../../actors/drain/drain.ts';
import type { LocalOwners, LocalSockets } from '../../../../cluster/contract/hand-over.ts';
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import { NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';

/** A wait with a bound gives its work a turn first: what is over by then takes no time. */
class DrainClock extends JumpingClock {
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal !== undefined) await setImmediate();
    await super.sleep(ms, signal);
  }
}

interface Faked {
  readonly handOver?: LocalOwners['handOver'];
  readonly sockets?: LocalSockets;
}

/** A drain whose publishers leave when they are asked, when they are closed, or never. */
function draining(
  { handOver, sockets, ...change }: Partial<DrainPorts> & Faked = {},
  leavesWhen: 'asked' | 'closed' | 'never' = 'closed',
) {
  const clock = new DrainClock();
  const said: string[] = [];
  let publishers = 1;
  const gone = Promise.withResolvers<number>();
  const drain = new Drain({
    node: NodeId.parse('n1'),
    clock,
    logger: silentLogger,
    withinMs: 30_000,
    othersLeft: () => 1,
    setDraining: async () => void said.push('told'),
    local: {
      owners: {
        handOver:
          handOver ??
          (async () => {
            said.push('handed over');
            return [];
          }),
        sessionsGone: async () => void said.push('gone'),
      },
      publishers: {
        count: () => publishers,
        askToLeave: async () => {
          if (said.at(-1) !== 'asked') said.push('asked');
          if (leavesWhen === 'asked') publishers = 0;
        },
        closeAtKeyframe: () => {
          said.push('closed');
          if (leavesWhen === 'closed') publishers = 0;
        },
        end: async () => void said.push('ended'),
      },
      sockets: sockets ?? { count: () => 0, askToMove: () => 0 },
    },
    exit: () => {
      said.push('exit');
      gone.resolve(clock.nowMs);
    },
    ...change,
  });
  return { drain, said, gone: gone.promise };
}

test('the others hear of it first, streams go next, publishers before the process', async () => {
  const { drain, said, gone } = draining();
  expect(drain.begin({ isForced: false })).toEqual({ withinSeconds: 30 });
  expect(await gone).toBeLessThanOrEqual(30_250);
  expect(said).toEqual(['told', 'handed over', 'asked', 'closed', 'exit']);
});

test('when the publishers have gone elsewhere at its word, the node does not wait for its bound', async () => {
  const { drain, gone } = draining({}, 'asked');
  drain.begin({ isForced: false });
  expect(await gone).toBeLessThan(2000);
});

test('publishers that do not leave do not hold it beyond its bound', async () => {
  const { drain, gone } = draining({}, 'never');
  drain.begin({ isForced: false });
  expect(await gone).toBeLessThanOrEqual(30_500);
});

test('the last node is refused unless it is forced, and a second drain always', async () => {
  const { drain, gone } = draining({ othersLeft: () => 0 });
  const refused = (isForced: boolean): string => {
    try {
      drain.begin({ isForced });
      return 'begun';
    } catch (error) {
      return errorCodeOf(error);
    }
  };
  expect({ unforced: refused(false), forced: refused(true), second: refused(true) }).toEqual({
    unforced: 'CONFLICT',
    forced: 'begun',
    second: 'CONFLICT',
  });
  await gone;
});

test('without NATS nobody can be told, and the node ends all the same', async () => {
  const { drain, said, gone } = draining({
    setDraining: () => Promise.reject(new Error('no NATS')),
    handOver: async (): Promise<readonly StreamId[]> => {
      throw new Error('no NATS');
    },
  });
  drain.begin({ isForced: false });
  await gone;
  expect(said).toEqual(['exit']);
});

test('a hand-over that never comes back does not keep the node', async () => {
  const { drain, said, gone } = draining({ handOver: () => new Promise(() => {}) });
  drain.begin({ isForced: false });
  expect(await gone).toBeLessThanOrEqual(30_000);
  expect(said).toEqual(['told', 'exit']);
});

test('a stop does what a drain does, in seconds', async () => {
  const clock = new DrainClock();
  const { drain, said } = draining({ clock }, 'never');
  await drain.leaveNow(1000);
  expect(said).toEqual(['told', 'handed over', 'asked', 'closed']);
  expect(clock.nowMs).toBeLessThanOrEqual(4500);
});

test('a stop does not wait for publishers while who took its streams over leaves as well', async () => {
  let others = 1;
  const clock = new DrainClock();
  const handOver = async (): Promise<readonly StreamId[]> => {
    others = 0;
    return [];
  };
  await draining({ clock, handOver, othersLeft: () => others }, 'never').drain.leaveNow(1000);
  expect(clock.nowMs).toBeLessThanOrEqual(1000);
});

test('the stop of a node whose publishers leave at its word does not wait', async () => {
  const clock = new DrainClock();
  await draining({ clock }, 'asked').drain.leaveNow(1000);
  expect(clock.nowMs).toBeLessThan(2000);
});

// Found by stopping a cluster as a whole: the owner went before the publishers of the other node had brought what they had.
test.each([
  ['nobody is left', 0],
  ['the others do not take them', 1],
])('a stop whose streams are left here, as %s, waits for their sessions', async (_, others) => {
  const { drain, said } = draining({
    othersLeft: () => others,
    handOver: async () => [StreamId.parse('demo')],
  });
  await drain.leaveNow(1000);
  expect(said).toEqual(['told', 'ended', 'gone']);
});

test('what telling the others takes is no longer there for the hand-over: a stop has one bound', async () => {
  const given: number[] = [];
  const { drain } = draining({
    setDraining: () => new Promise<void>(() => {}),
    handOver: async (withinMs) => {
      given.push(withinMs);
      return [];
    },
  });
  await drain.leaveNow(2500);
  expect(given).toEqual([1500]);
});

/** Sockets of which some move when they are asked. */
function socketsOf(count: number, stay: number) {
  const asked: number[] = [];
  let left = count;
  const sockets: LocalSockets = {
    count: () => left,
    askToMove: (withinMs) => {
      asked.push(withinMs);
      left = stay;
      return count;
    },
  };
  return { asked, sockets };
}

test.each([
  [1, 1005],
  [1000, 6000],
  [1_000_000, 25_000],
])(
  'the pages of %i sockets are asked to move within %i ms, once the others know',
  async (count, withinMs) => {
    const { asked, sockets } = socketsOf(count, 0);
    const { drain, said, gone } = draining({ sockets, handOver: async () => [] }, 'asked');
    drain.begin({ isForced: false });
    expect(await gone).toBeLessThan(2000);
    expect({ asked, said }).toEqual({ asked: [withinMs], said: ['told', 'asked', 'closed', 'exit'] });
  },
);

test('pages that do not move have the time that they were given, and no more', async () => {
  const { sockets } = socketsOf(100, 100);
  const { drain, gone } = draining({ sockets }, 'asked');
  drain.begin({ isForced: false });
  const goneMs = await gone;
  expect(goneMs).toBeGreaterThanOrEqual(1500);
  expect(goneMs).toBeLessThanOrEqual(2500);
});

test('sockets that have nowhere to go are not waited for', async () => {
  const { drain, gone } = draining({ sockets: { count: () => 5, askToMove: () => 0 } }, 'asked');
  drain.begin({ isForced: false });
  expect(await gone).toBeLessThan(1000);
});

test('a stop gives pages a second', async () => {
  const clock = new DrainClock();
  const { asked, sockets } = socketsOf(1000, 1000);
  await draining({ clock, sockets }, 'asked').drain.leaveNow(5000);
  expect({ asked }).toEqual({ asked: [1000] });
  expect(clock.nowMs).toBeLessThanOrEqual(2000);
});
