/** Gateways on real nats-servers, with links that break, nodes that leave, and strangers (R2). */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { RegionId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import { Prover } from '../../../cluster/region/gateways/proof.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { echo, greeting, testAllowList } from '../../support/regions/crossings.ts';
import { joinRegions, type JoinedRegions, type JoinOptions } from '../../support/regions/joined-regions.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const pair = { eu: ['n1', 'n2'], us: ['n1'] };
const join = (options: Partial<JoinOptions> = {}): Promise<JoinedRegions> =>
  joinRegions({ nodes: pair, allowed: testAllowList, ...options });
const soon = { key: 'demo', withinMs: 20_000 };
/** It may be swallowed three times, and a quarter of its time is left for the answer, also on a busy machine. */
const patient = { key: 'demo', withinMs: 8000 };
const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'answered',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

/** What was logged: the sentence and its fields as one text. */
function noting(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const note = (fields: object, text: string): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: () => {}, info: note, warn: note, error: note, child: () => logger };
  return { lines, logger };
}

/** Publishes numbers in `us` again and again, and collects what `node` of `eu` hears of them. */
function counting(joined: JoinedRegions, node: string, everyMs = 20) {
  const heard: number[] = [];
  let said = 0;
  const stopHearing = joined
    .of('eu', node)
    .listen(us, greeting, ({ text }) => heard.push(Number(text)), 'demo');
  const timer = setInterval(
    () => joined.of('us').publish(greeting, { text: String(said++) }, 'demo'),
    everyMs,
  );
  const stop = (): void => {
    clearInterval(timer);
    stopHearing();
  };
  return { heard, said: () => said, stop };
}
const lostOf = (heard: readonly number[]): number =>
  (heard.at(-1) ?? 0) - (heard[0] ?? 0) + 1 - new Set(heard).size;
/** Which node of `eu` carries the stream, and which would. */
function gatewaysOf(joined: JoinedRegions, nodes: readonly string[], key = 'demo') {
  const serving = nodes.find((node) => joined.of('eu', node).isServedHere(us, key)) ?? '';
  return { serving, others: nodes.filter((node) => node !== serving) };
}

describe('a gateway', () => {
  test('relays each event once while nothing changes, and only what somebody listens to', async () => {
    await using joined = await join();
    const { heard, stop } = counting(joined, 'n1');
    await waitUntil('many are heard', () => heard.length > 50);
    stop();
    expect({ lost: lostOf(heard), doubled: heard.length - new Set(heard).size }).toEqual({
      lost: 0,
      doubled: 0,
    });
    const connection = await connect({ servers: joined.nats('eu').url });
    const crossed: string[] = [];
    connection.subscribe('tz.us.wan.>', {
      callback: (_error, message) => void crossed.push(message.subject),
    });
    await connection.flush();
    joined.of('us').publish(greeting, { text: 'nobody listens' }, 'other');
    const listened = joined.of('eu', 'n1').listen(us, greeting, () => {}, 'third');
    await waitUntil(
      'what is listened to comes',
      () => (joined.of('us').publish(greeting, { text: 'x' }, 'third'), crossed.length > 0),
    );
    listened();
    expect(crossed.filter((subject) => subject.endsWith('.other'))).toEqual([]);
    await connection.close();
  });

  // Goal: events go on when the process that relays them is gone. Method: its connections are cut, and nobody is told.
  test('that is killed is replaced by the other one', async () => {
    await using joined = await join({ nodes: { eu: ['n1', 'n2', 'n3'], us: ['n1'] } });
    const all = ['n1', 'n2', 'n3'];
    const { serving, others } = gatewaysOf(joined, all);
    const { heard, said, stop } = counting(joined, others[0] ?? '');
    await waitUntil('events are heard', () => heard.length > 10);
    await joined.kill('eu', serving);
    const killedAt = said();
    await waitUntil('events are heard again', () => (heard.at(-1) ?? 0) > killedAt + 5);
    stop();
    const first = heard.find((number) => number > killedAt) ?? Infinity;
    // 2 s are 100 events; the bound is told by the count of events, not by a clock of this machine.
    expect({ isBackWithin2s: (first - killedAt) * 20 <= 2000 }).toEqual({ isBackWithin2s: true });
    const call = joined.of('us').serve(echo, async ({ text }) => ({ text }));
    await joined.settled();
    expect(await joined.of('eu', others[0]).call(us, echo, { text: 'on' }, soon)).toEqual({ text: 'on' });
    call();
  });

  test('that leaves hands over without losing an event', async () => {
    await using joined = await join({ nodes: { eu: ['n1', 'n2', 'n3'], us: ['n1'] } });
    const { serving, others } = gatewaysOf(joined, ['n1', 'n2', 'n3']);
    const { heard, said, stop } = counting(joined, others[0] ?? '', 1);
    await waitUntil('events are heard', () => heard.length > 10);
    await joined.leave('eu', serving);
    const leftAt = said();
    await waitUntil('events are heard again', () => (heard.at(-1) ?? 0) > leftAt + 20);
    stop();
    expect({ lost: lostOf(heard) }).toEqual({ lost: 0 });
  });

  // Goal: a link that swallows everything is found, in both senses: calls fail at once, and it comes back by itself.
  test('notices a connection that stands still, and connects anew', async () => {
    const { lines, logger } = noting();
    await using joined = await join({ logger: (region) => (region === 'eu' ? logger : noting().logger) });
    joined.of('us').serve(echo, async ({ text }) => ({ text }));
    await joined.settled();
    joined.cut('eu', 'us');
    await waitUntil('the link is down', () => joined.of('eu', 'n2').links()[0]?.isUp === false);
    const call = joined.of('eu', 'n2').call(us, echo, { text: 'x' }, { key: 'demo', withinMs: 60_000 });
    expect(await codeOf(call)).toBe('UNAVAILABLE');
    joined.heal('eu', 'us');
    await waitUntil('the link is up', () => joined.of('eu', 'n2').links()[0]?.isUp === true);
    expect(await codeOf(joined.of('eu', 'n2').call(us, echo, { text: 'x' }, soon))).toBe('answered');
    const silent = lines.filter((line) => line.includes('does not answer (no answer for 2 s)'));
    expect(silent.length).toBeGreaterThan(0);
    expect(silent.length).toBeLessThanOrEqual(2);
  });

  test('measures its link: round trip, bytes, and who serves', async () => {
    await using joined = await join();
    const link = await waitFor(
      'a round trip',
      () => joined.of('eu', 'n2').links()[0],
      (seen) => seen?.roundTripMs !== undefined && seen.bytesIn > 0 && seen.gateways.length === 2,
    );
    expect(link).toMatchObject({ region: us, isUp: true, gateways: ['n1', 'n2'], topologyVersion: 1 });
  });
});

test('a node that wants more events than gateways carry for it says so, until it wants fewer', async () => {
  await using joined = await join({ nodes: { eu: ['n1'], us: ['n1'] } });
  const eus = joined.of('eu');
  const stops = Array.from({ length: 5001 }, (_, index) => eus.listen(us, greeting, () => {}, `s${index}`));
  await waitUntil('it is said', () => eus.warnings().length > 0);
  expect(eus.warnings()).toEqual([expect.stringContaining('wants 1 events of region us more')]);
  stops[0]?.();
  await waitUntil('it is over', () => eus.warnings().length === 0);
});

// Goal: a node that stands still costs other regions no call and no link. Method: a connection that never answers gets three calls, and nearly all
// hellos until it has got four.
test('calls to a region in which a node stands still are answered by its other nodes, and the link stays', async () => {
  await using joined = await join({ nodes: { eu: ['n1'], us: ['n1'] } });
  joined.of('us').serve(echo, async ({ text }) => ({ text }));
  await using frozen = await connectTo(joined.nats('us').url);
  const swallowed = { calls: 0, hellos: 0 };
  const callback = (): void => void (swallowed.calls += 1);
  frozen.connection.subscribe('tz.us.wan.rpc.echo', { queue: 'serve', max: 3, callback });
  const swallow = (): void => {
    swallowed.hellos += 1;
    if (swallowed.hellos === 4) for (const one of hellos) one.unsubscribe();
  };
  const hellos = Array.from({ length: 40 }, () =>
    frozen.connection.subscribe('tz.us.wan.rpc.hello', { queue: 'serve', callback: swallow }),
  );
  await frozen.connection.flush();
  await joined.settled();
  let turns = 0;
  joined.of('eu').onLink(() => (turns += 1));
  const answers = new Set<string>();
  await waitUntil('it has swallowed three calls and four hellos', async () => {
    const called = joined.of('eu').call(us, echo, { text: 'x' }, patient);
    answers.add(await called.then(({ text }) => text, String));
    return swallowed.calls === 3 && swallowed.hellos >= 4;
  });
  await joined.of('eu').call(us, echo, { text: 'x' }, patient);
  expect({ answers, turns }).toEqual({ answers: new Set(['x']), turns: 0 });
});

describe('what comes from another region', () => {
  // Goal: garbage, what is too long, floods and wrong names cost nothing but themselves. Method: a stranger publishes at the other NATS.
  test('is dropped where it is not allowed, and what is allowed goes on', async () => {
    await using joined = await join();
    const heard: string[] = [];
    joined.of('eu').listen(us, greeting, ({ text }) => heard.push(text), 'demo');
    await using stranger = await connectTo(joined.nats('us').url);
    const publish = (subject: string, text: string): void => stranger.connection.publish(subject, text);
    await waitUntil(
      'events are heard',
      () => (joined.of('us').publish(greeting, { text: 'sound' }, 'demo'), heard.length > 0),
    );
    publish('tz.us.wan.greeting.demo', 'no json');
    publish('tz.us.wan.greeting.demo', '{"text":""}');
    publish('tz.us.wan.greeting.demo', JSON.stringify({ text: 'x'.repeat(greeting.maxBytes) }));
    publish('tz.us.wan.unheard-of.demo', '{"text":"x"}');
    const beganMs = performance.now();
    for (let index = 0; index < 20 * greeting.perSecond; index++)
      publish('tz.us.wan.greeting.demo', '{"text":"flood"}');
    await stranger.connection.flush();
    await waitUntil(
      'sound ones come after it',
      () => (joined.of('us').publish(greeting, { text: 'after' }, 'demo'), heard.includes('after')),
    );
    expect(new Set(heard)).toEqual(new Set(['sound', 'flood', 'after']));
    const seconds = (performance.now() - beganMs) / 1000; // a busy machine hears it over several
    expect(heard.filter((text) => text === 'flood').length).toBeLessThan((5 + seconds) * greeting.perSecond);
  });

  test('is refused as a call where it is garbage, too long, misdirected, late or unsigned', async () => {
    await using joined = await join();
    let ran = 0;
    joined.of('us').serve(echo, async ({ text }) => ((ran += 1), { text }));
    await joined.settled();
    await using stranger = await connectTo(joined.nats('us').url, 'tz.us.wan.inbox.eu');
    await using asian = await connectTo(joined.nats('us').url, 'tz.us.wan.inbox.asia');
    const ask = async (text: string, { connection } = stranger): Promise<unknown> => {
      const reply = await connection.request('tz.us.wan.rpc.echo', text, { timeout: 20_000 });
      return reply.json<{ error?: { code?: string } }>().error?.code;
    };
    const head = { from: eu, to: us, name: 'echo', deadlineUtcMs: Date.now() + 5000 };
    const params = '{"text":"x"}';
    const [ours, theirs] = [new Prover('a secret'), new Prover('another secret')];
    expect({
      garbage: await ask('x'),
      long: await ask('x'.repeat(10_000)),
      unsigned: await ask(theirs.write({ head, params })),
      elsewhere: await ask(ours.write({ head: { ...head, to: eu }, params })),
      otherName: await ask(ours.write({ head: { ...head, name: 'hello' }, params })),
      ofNobody: await ask(ours.write({ head: { ...head, from: RegionId.parse('asia') }, params }), asian),
      othersInbox: await ask(ours.write({ head, params }), asian),
      late: await ask(ours.write({ head: { ...head, deadlineUtcMs: Date.now() - 10_000 }, params })),
      shape: await ask(ours.write({ head, params: '{"text":5}' })),
    }).toEqual({
      garbage: 'BAD_REQUEST',
      long: 'BODY_TOO_LARGE',
      unsigned: 'FORBIDDEN',
      elsewhere: 'FORBIDDEN',
      otherName: 'FORBIDDEN',
      ofNobody: 'FORBIDDEN',
      othersInbox: 'FORBIDDEN',
      late: 'DEADLINE_EXCEEDED',
      shape: 'BAD_REQUEST',
    });
    expect({ ran }).toEqual({ ran: 0 });
  });
});

describe('a link that is refused', () => {
  test('to a cluster with another secret, is said once on both sides, and never works', async () => {
    const [near, far] = [noting(), noting()];
    await using joined = await join({
      nodes: { eu: ['n1'], us: ['n1'] },
      waitsForLinks: false,
      secret: (region) => `secret of ${region}`,
      logger: (region) => (region === 'eu' ? near.logger : far.logger),
    });
    const isSaid = (lines: readonly string[], text: string) =>
      lines.filter((line) => line.includes(text)).length;
    await waitUntil(
      'both have said so',
      () => isSaid(near.lines, 'secrets') > 0 && isSaid(far.lines, 'refused') > 0,
    );
    await refusedAgain(joined);
    expect({
      near: isSaid(near.lines, 'has other shared secrets'),
      far: isSaid(far.lines, 'does not have the shared secrets'),
      isUp: joined.of('eu').links()[0]?.isUp,
    }).toEqual({ near: 1, far: 1, isUp: false });
  });

  test('as the other NATS is somebody else’s, says that nobody of that region answers', async () => {
    const { lines, logger } = noting();
    await using joined = await join({
      nodes: { eu: ['n1'], us: [] },
      waitsForLinks: false,
      logger: () => logger,
    });
    await waitUntil('it is said', () => lines.some((line) => line.includes('no node of region us answers')));
    expect(joined.of('eu').links()[0]).toMatchObject({ isUp: false, gateways: [] });
  });

  test('as nothing listens there, is tried again for ever, and works once something does', async () => {
    await using joined = await join();
    await joined.nats('us').kill();
    await waitUntil('the link is down', () => joined.of('eu').links()[0]?.isUp === false);
    await joined.nats('us').restart();
    await waitUntil('the link is up', () => joined.of('eu').links()[0]?.isUp === true);
  });
});

describe('a region whose clock is 30 s off', () => {
  test('is told with its offset on every node, and calls to it have their deadline all the same', async () => {
    const lagging: Clock = { ...systemClock, utcMs: () => systemClock.utcMs() - 30_000 };
    const { lines, logger } = noting();
    await using joined = await join({
      clock: (region) => (region === 'us' ? lagging : systemClock),
      logger: (region) => (region === 'eu' ? logger : noting().logger),
    });
    joined.of('us').serve(echo, async ({ text }) => ({ text }));
    joined.of('eu').serve(echo, async ({ text }) => ({ text }));
    await joined.settled();
    // Measured better with each hello: the first one may be late on its way.
    await waitFor(
      'the offset',
      () => joined.of('eu', 'n2').links()[0]?.offsetMs,
      (seen) => seen !== undefined && Math.round(seen / 1000) === -30,
    );
    await expect
      .poll(() => joined.of('eu', 'n2').warnings())
      .toEqual(['the clock of region us is -30 s away from ours: use NTP']);
    expect(lines.filter((line) => line.includes('the clock of region us')).length).toBeGreaterThan(0);
    expect({
      there: await codeOf(joined.of('eu').call(us, echo, { text: 'x' }, soon)),
      back: await codeOf(joined.of('us').call(eu, echo, { text: 'x' }, soon)),
    }).toEqual({ there: 'answered', back: 'answered' });
  });
});

test('three regions: each hears each of the others, and nothing comes twice by way of the third', async () => {
  await using joined = await join({ nodes: { eu: ['n1', 'n2'], us: ['n1', 'n2'], asia: ['n1'] } });
  const heard: string[] = [];
  for (const region of ['us', 'asia'] as const)
    joined
      .of('eu')
      .listen(RegionId.parse(region), greeting, ({ text }, from) => heard.push(`${from} ${text}`));
  joined.of('us').listen(RegionId.parse('asia'), greeting, () => {});
  await waitUntil('both are heard', () => {
    for (const region of ['us', 'asia']) joined.of(region).publish(greeting, { text: 'first' });
    return new Set(heard).size === 2;
  });
  heard.length = 0;
  for (const region of ['us', 'asia']) joined.of(region).publish(greeting, { text: 'last' });
  await waitUntil(
    'the last ones are heard',
    () => heard.filter((text) => text.endsWith('last')).length === 2,
  );
  expect(heard.filter((text) => text.endsWith('last')).toSorted()).toEqual(['asia last', 'us last']);
});

interface Connected extends AsyncDisposable {
  readonly connection: NatsConnection;
}

async function connectTo(servers: string, inboxPrefix?: string): Promise<Connected> {
  const connection = await connect({ servers, ...(inboxPrefix === undefined ? {} : { inboxPrefix }) });
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}

/** Waits until the other region has refused some more hellos. */
async function refusedAgain(joined: JoinedRegions): Promise<void> {
  let hellos = 0;
  await using far = await connectTo(joined.nats('us').url);
  far.connection.subscribe('tz.us.wan.rpc.hello', { callback: () => void (hellos += 1) });
  await waitUntil('it has tried three times more', () => hellos >= 3);
}
