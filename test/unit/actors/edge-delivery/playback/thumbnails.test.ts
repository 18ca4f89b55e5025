/** Pictures of streams of other regions: how often they are fetched, and what is served while they cannot be (R5). */
import { expect, test } from 'vitest';
import type { HttpRequest } from '../../../../../actors/edge-delivery/http/http.ts';
import { Thumbnails } from '../../../../../actors/edge-delivery/playback/thumbnails.ts';
import { errorCodeOf, TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { stream } from '../../../../support/ports/records.ts';
import { HandClock, settled } from '../../../../support/regions/hand-clock.ts';

const requestOf = (authorization = ''): HttpRequest => ({
  method: 'get',
  path: '/live/demo/thumbnail.jpg',
  query: '',
  remoteAddress: '127.0.0.1',
  isAborted: false,
  header: (name) => (name === 'authorization' ? authorization : ''),
  body: async () => new Uint8Array(),
  onAbort: () => {},
});

/** Streams whose ids begin with `us` are at home in region `us`, all others in `eu`. */
class Rig {
  readonly clock = new HandClock();
  fetched = 0;
  isAway = false;
  /** Region `eu` says that it has no picture. */
  hasNone = false;
  isBusy = false;
  /** Region `eu` says nothing. */
  isMute = false;
  readonly #thumbnails = new Thumbnails({
    clock: this.clock,
    finder: {
      glance: async (_, id) => ({
        home: RegionId.parse(id.startsWith('us') ? 'us' : 'eu'),
        follower: undefined,
      }),
      findPlayable: () => this.#refuse(),
    },
    media: { init: () => this.#refuse(), load: () => this.#refuse() },
    makeThumbnail: () => this.#refuse(),
    pictureOfHome: async (home) => {
      this.fetched += 1;
      if (this.isMute && home === 'eu') return new Promise(() => {});
      if (this.isBusy) throw new TangazaError('OVERLOADED');
      if (this.hasNone) throw new TangazaError('NOT_FOUND');
      return this.isAway ? this.#refuse() : Uint8Array.of(this.fetched);
    },
  });

  /** What is served: a picture, or the code of an error. */
  async answer(id: StreamId = stream): Promise<unknown> {
    return this.picture('', id).catch(errorCodeOf);
  }

  async picture(authorization?: string, id = stream): Promise<unknown> {
    const entity = await this.#thumbnails.serve(requestOf(authorization), {
      params: { id },
      query: {},
      body: undefined,
      origin: '',
    });
    return [...entity.body];
  }

  async #refuse(): Promise<never> {
    throw new TangazaError('UNAVAILABLE');
  }
}

test('a picture is fetched once in 10 s, and the last one is served while the home is away', async () => {
  const rig = new Rig();
  const first = await Promise.all([rig.picture(), rig.picture()]);
  await rig.clock.pass(10_000);
  const second = await rig.picture();
  rig.isAway = true;
  await rig.clock.pass(60_000);
  expect({ first, second, away: await rig.picture(), fetched: rig.fetched }).toEqual({
    first: [[1], [1]],
    second: [2],
    away: [2],
    fetched: 3,
  });
});

test('that the home is away is remembered for 10 s, without a picture too', async () => {
  const rig = new Rig();
  rig.isAway = true;
  const away = [await rig.answer(), await rig.answer()];
  rig.isAway = false;
  await rig.clock.pass(9950);
  const remembered = await rig.answer();
  const { fetched } = rig;
  await rig.clock.pass(50);
  expect({ away, remembered, fetched, later: await rig.answer() }).toEqual({
    away: ['UNAVAILABLE', 'UNAVAILABLE'],
    remembered: 'UNAVAILABLE',
    fetched: 1,
    later: [2],
  });
});

test('that the home is busy is not remembered', async () => {
  const rig = new Rig();
  rig.isBusy = true;
  const busy = await rig.answer();
  rig.isBusy = false;
  expect({ busy, after: await rig.answer() }).toEqual({ busy: 'OVERLOADED', after: [2] });
});

// Goal: each viewer of a list would cost a crossing. Method: a stream that had a picture, and has none any more.
test('that the home has no picture is the answer, and is asked once in 10 s', async () => {
  const rig = new Rig();
  const first = await rig.answer();
  await rig.clock.pass(10_000);
  rig.hasNone = true;
  const none = [await rig.answer(), await rig.answer()];
  expect({ first, none, fetched: rig.fetched }).toEqual({
    first: [1],
    none: ['NOT_FOUND', 'NOT_FOUND'],
    fetched: 2,
  });
});

// Goal: a region whose HTTP port is blocked takes no other one's pictures away. Method: as many streams of it as are fetched at once, and one more.
test('pictures of a home that is mute keep no picture of another home away', async () => {
  const rig = new Rig();
  rig.isMute = true;
  for (let index = 0; index < 16; index += 1) void rig.answer(StreamId.parse(`eu-${index}`));
  await settled();
  expect({
    eu: await rig.answer(StreamId.parse('eu-16')),
    us: await rig.answer(StreamId.parse('us-1')),
  }).toEqual({ eu: 'OVERLOADED', us: [17] });
});

test('a request of another region is never passed on to a third', async () => {
  const rig = new Rig();
  await expect(rig.picture('Tangaza-Region us.1.x')).rejects.toThrow(
    expect.objectContaining({ code: 'UNAVAILABLE' }),
  );
  expect(rig.fetched).toBe(0);
});
