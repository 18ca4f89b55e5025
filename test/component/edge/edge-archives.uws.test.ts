/** An edge that comes when the log is short: what lies before it is read from the owner's archives (M16, C7). */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { shortenTwice } from '../../support/media/shortened.ts';
import { startTestEdge, type EdgeSettings, type TestEdge } from '../../support/ports/test-edge.ts';

const View = z.object({
  offsetSeconds: z.number(),
  durationSeconds: z.number(),
  segments: z.array(z.object({ url: z.string(), init: z.string() })),
});

/** 40 s of a stream; the log begins at 28 s, the archives hold 0 to 20 s and 12 to 36 s. */
async function startShortened(ports: Partial<EdgeSettings> = {}): Promise<TestEdge> {
  const edge = await startTestEdge(ports);
  await shortenTwice(edge, await edge.broadcast(10));
  return edge;
}

const ask = (edge: TestEdge, query: string): Promise<Response> =>
  fetch(`${edge.url}/v1/videos/demo/frames?deviceType=tv&${query}`, {
    headers: { accept: 'application/json' },
  });

test.each([
  ['in the first archive', 0, 4, 2],
  ['across the end of what the second archive begins with', 10, 6, 3],
  ['across the beginning of the log', 24, 8, 4],
  ['in the log', 30, 4, 2],
])(
  'a frame %s is complete and its objects are served',
  async (_, offsetSeconds, durationSeconds, pictures) => {
    await using edge = await startShortened();
    const reply = await ask(edge, `offsetSeconds=${offsetSeconds}&durationSeconds=${durationSeconds}`);
    expect(reply.status).toBe(200);
    const view = View.parse(await reply.json());
    expect(view).toMatchObject({ offsetSeconds, durationSeconds });
    expect(view.segments.filter(({ url }) => url.includes('h264'))).toHaveLength(pictures);
    for (const { url, init } of view.segments) {
      expect({ urlStatus: (await fetch(url)).status, initStatus: (await fetch(init)).status }).toEqual({
        urlStatus: 200,
        initStatus: 200,
      });
    }
  },
);

test('what is past retention is gone, though an archive still names it', async () => {
  await using edge = await startShortened({ retentionSeconds: 30 });
  const old = await ask(edge, 'offsetSeconds=8&durationSeconds=2');
  expect(old.status).toBe(404);
  expect(await old.json()).toMatchObject({ code: 'RANGE_EXPIRED' });
  expect((await ask(edge, 'offsetSeconds=12&durationSeconds=2')).status).toBe(200);
});

test('without archives what lies before the log is gone, and names that never were are not found', async () => {
  await using edge = await startShortened();
  await edge.store.delete(['index/demo/1-10.json', 'index/demo/1-18.json']);
  expect((await ask(edge, 'offsetSeconds=0&durationSeconds=4')).status).toBe(404);
  expect((await fetch(`${edge.url}/live/demo/2/h264-240p/1.m4s`)).status).toBe(404);
  expect((await fetch(`${edge.url}/live/demo/2/h264-999p/0.m4s`)).status).toBe(404);
});
