/** The port of the other regions: every implementation keeps these (R2). */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { RegionId } from '../../cluster/model/ids.ts';
import type { OtherRegions } from '../../cluster/region/other-regions.ts';
import { echo, greeting, testAllowList } from '../support/regions/crossings.ts';
import { joinRegions } from '../support/regions/joined-regions.ts';
import { MemoryRegions } from '../support/regions/memory-regions.ts';

/** Two regions, `eu` and `us`, of which `eu` has the nodes `n1` and `n2`, and `us` has `n1`. */
export interface RegionsUnderTest extends AsyncDisposable {
  of(region: 'eu' | 'us', node?: 'n1' | 'n2'): OtherRegions;
  /** Resolves when what is served by now can be called. */
  settled(): void | Promise<void>;
  cut(from: 'eu' | 'us', to: 'eu' | 'us'): void | Promise<void>;
  heal(from: 'eu' | 'us', to: 'eu' | 'us'): void | Promise<void>;
}

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const soon = { key: 'demo', withinMs: 20_000 };

const implementations: readonly (readonly [string, () => Promise<RegionsUnderTest>])[] = [
  [
    'in memory',
    async () => {
      const joined = new MemoryRegions({ regions: ['eu', 'us'], allowed: testAllowList });
      for (const node of ['n1', 'n2']) joined.of('eu', node);
      joined.of('us');
      return {
        of: (region, node) => joined.of(region, node),
        settled: () => {},
        cut: (from, to) => joined.cut(from, to),
        heal: (from, to) => joined.heal(from, to),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  ],
  ['over NATS', async () => joinRegions({ nodes: { eu: ['n1', 'n2'], us: ['n1'] }, allowed: testAllowList })],
];

/** What an actor gets to see of a failed call. */
const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (result) => ({ result }),
    (error: unknown) => (error instanceof TangazaError ? { code: error.code } : { error }),
  );
const isUp = (regions: OtherRegions): boolean | undefined => regions.links().at(0)?.isUp;

function hearing(regions: OtherRegions, of?: string) {
  const heard: string[] = [];
  const stop = regions.listen(us, greeting, ({ text }, region) => heard.push(`${region}: ${text}`), of);
  return { heard, stop };
}

/** Publishes until somebody hears it: interest may take a second to reach the other region. */
async function untilHeard(publisher: OtherRegions, heard: readonly string[], of?: string): Promise<void> {
  await expect
    .poll(() => (publisher.publish(greeting, { text: 'first' }, of), heard.length), {
      interval: 100,
      timeout: 20_000,
    })
    .toBeGreaterThan(0);
}

describe.each(implementations)('other regions %s', (_name, start) => {
  test('answer a call, and are told which region asks', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async ({ text }, from) => ({ text: `${from} said ${text}` }));
    await joined.settled();
    expect(await joined.of('eu').call(us, echo, { text: 'hello' }, soon)).toEqual({ text: 'eu said hello' });
  });

  test('refuse a call with the code and the detail of the node that refused it', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async () => {
      throw new TangazaError('STREAM_NOT_FOUND', 'no demo here', { data: { stream: 'demo' } });
    });
    await joined.settled();
    await expect(joined.of('eu').call(us, echo, { text: 'hello' }, soon)).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
      message: 'no demo here',
      data: { stream: 'demo' },
    });
  });

  test('tell nothing of an unknown error but that there was one', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async () => {
      throw new Error('a secret');
    });
    await joined.settled();
    const call = joined.of('eu').call(us, echo, { text: 'hello' }, soon);
    await expect(call).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('are unavailable at once where none of their nodes serves the call', async () => {
    await using joined = await start();
    const call = joined.of('eu').call(us, echo, { text: 'hello' }, { key: 'demo', withinMs: 60_000 });
    expect(await refusalOf(call)).toEqual({ code: 'UNAVAILABLE' });
  });

  test('are unavailable when they do not answer in time', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, () => new Promise(() => {}));
    await joined.settled();
    const call = joined.of('eu').call(us, echo, { text: 'hello' }, { key: 'demo', withinMs: 300 });
    expect(await refusalOf(call)).toEqual({ code: 'UNAVAILABLE' });
  });

  test('get no call that is too long, of another shape, or not in the allow-list', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async ({ text }) => ({ text }));
    await joined.settled();
    const ask = (text: string, call = echo) => refusalOf(joined.of('eu').call(us, call, { text }, soon));
    expect({
      long: await ask('x'.repeat(echo.maxBytes)),
      shape: await ask(''),
      unknown: await ask('hello', { ...echo, name: 'unheard-of' }),
    }).toEqual({
      long: { code: 'BODY_TOO_LARGE' },
      shape: { code: 'BAD_REQUEST' },
      unknown: { code: 'FORBIDDEN' },
    });
  });

  // Goal: regions of two versions understand each other while they are renewed. Method: the newer one knows a field more of the question or of the answer.
  test('leave out what another version adds to a call or to its answer, and understand the rest', async () => {
    await using joined = await start();
    const Newer = z.object({ text: z.string(), since: z.string() });
    const answered = { ...echo, result: Newer };
    joined
      .of('us')
      .serve(answered, async (params) => ({ text: Object.keys(params).join(','), since: 'later' }));
    await joined.settled();
    const asked = { ...echo, params: Newer };
    const params = { text: 'hello', since: 'later' };
    expect(await joined.of('eu').call(us, asked, params, soon)).toEqual({ text: 'text' });
  });

  test('send no answer that is longer than the call allows', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async () => ({ text: 'x'.repeat(echo.maxResultBytes) }));
    await joined.settled();
    expect(await refusalOf(joined.of('eu').call(us, echo, { text: 'hello' }, soon))).toEqual({
      code: 'INTERNAL',
    });
  });

  test('get no more calls a second than the call allows', async () => {
    await using joined = await start();
    joined.of('us').serve(echo, async ({ text }) => ({ text }));
    await joined.settled();
    const calls = Array.from({ length: 3 * echo.perSecond }, () =>
      refusalOf(joined.of('eu').call(us, echo, { text: 'hello' }, soon)),
    );
    const answers = await Promise.all(calls);
    expect(answers).toContainEqual({ code: 'OVERLOADED' });
    expect(answers).toContainEqual({ result: { text: 'hello' } });
  });

  test('are heard by all who listen, each event once and in order', async () => {
    await using joined = await start();
    const far = hearing(joined.of('eu', 'n1'));
    const beside = hearing(joined.of('eu', 'n2'));
    const near = hearing(joined.of('us'));
    await untilHeard(joined.of('us'), far.heard);
    await untilHeard(joined.of('us'), beside.heard);
    for (const text of ['a', 'b', 'c']) expect(joined.of('us').publish(greeting, { text })).toBe(true);
    const lasts = () => [far, beside, near].map(({ heard }) => heard.filter((text) => text !== 'us: first'));
    const all = ['us: a', 'us: b', 'us: c'];
    await expect.poll(lasts).toEqual([all, all, all]);
  });

  test('are heard of one stream by those who listen to that one', async () => {
    await using joined = await start();
    const one = hearing(joined.of('eu'), 'one');
    const two = hearing(joined.of('eu'), 'two');
    await untilHeard(joined.of('us'), one.heard, 'one');
    await untilHeard(joined.of('us'), two.heard, 'two');
    two.stop();
    joined.of('us').publish(greeting, { text: 'of two' }, 'two');
    joined.of('us').publish(greeting, { text: 'of one' }, 'one');
    await expect.poll(() => one.heard.at(-1)).toBe('us: of one');
    expect({ one: one.heard.includes('us: of two'), two: two.heard.includes('us: of two') }).toEqual({
      one: false,
      two: false,
    });
  });

  test('hear no event that is too long', async () => {
    await using joined = await start();
    expect(joined.of('us').publish(greeting, { text: 'x'.repeat(greeting.maxBytes) })).toBe(false);
  });

  // Goal: a cut of one direction costs that direction alone, is noticed, and heals. Method: the link that eu holds to us is cut.
  test('are unavailable at once while the link is cut, and only in that direction', async () => {
    await using joined = await start();
    for (const region of ['eu', 'us'] as const)
      joined.of(region).serve(echo, async ({ text }) => ({ text: `${region}: ${text}` }));
    await joined.settled();
    const changes: boolean[] = [];
    joined.of('eu').onLink((link) => changes.push(link.isUp));
    await joined.cut('eu', 'us');
    await expect.poll(() => isUp(joined.of('eu'))).toBe(false);
    const there = joined.of('eu').call(us, echo, { text: 'hello' }, { key: 'demo', withinMs: 60_000 });
    const back = joined.of('us').call(eu, echo, { text: 'hello' }, soon);
    expect({ there: await refusalOf(there), back: await back, back2: isUp(joined.of('us')) }).toEqual({
      there: { code: 'UNAVAILABLE' },
      back: { text: 'eu: hello' },
      back2: true,
    });
    await joined.heal('eu', 'us');
    await expect.poll(() => isUp(joined.of('eu'))).toBe(true);
    expect(await joined.of('eu').call(us, echo, { text: 'hello' }, soon)).toEqual({ text: 'us: hello' });
    expect(changes).toEqual([false, true]);
  });

  test('are heard again after a cut', async () => {
    await using joined = await start();
    const { heard } = hearing(joined.of('eu'));
    await untilHeard(joined.of('us'), heard);
    await joined.cut('eu', 'us');
    await expect.poll(() => isUp(joined.of('eu'))).toBe(false);
    joined.of('us').publish(greeting, { text: 'lost' });
    await joined.heal('eu', 'us');
    await expect.poll(() => isUp(joined.of('eu'))).toBe(true);
    heard.length = 0;
    await untilHeard(joined.of('us'), heard);
    expect(heard).not.toContain('us: lost');
  });

  test('are served by one node for each key, and by none while the link is cut', async () => {
    await using joined = await start();
    const keys = Array.from({ length: 50 }, (_, index) => `stream-${index}`);
    const nodes = [joined.of('eu', 'n1'), joined.of('eu', 'n2')];
    const served = () =>
      nodes.map((node) => keys.filter((key) => node.isServedHere(us, key)).length).toSorted((a, b) => a - b);
    await expect.poll(() => served().reduce((sum, count) => sum + count, 0)).toBe(keys.length);
    expect(served().at(0)).toBeGreaterThan(0);
    await joined.cut('eu', 'us');
    await expect.poll(served).toEqual([0, 0]);
  });
});
