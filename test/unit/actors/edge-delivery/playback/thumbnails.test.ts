/** Pictures of streams of other regions: how often they are fetched, and what is served while they cannot be (R5). */
import { expect, test } from 'vitest';
import type { HttpRequest } from '../../../../../actors/edge-delivery/http/http.ts';
import { Thumbnails } from '../../../../../actors/edge-delivery/playback/thumbnails.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { stream } from '../../../../support/ports/records.ts';
import { HandClock } from '../../../../support/regions/hand-clock.ts';

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

class Rig {
  readonly clock = new HandClock();
  fetched = 0;
  isAway = false;
  readonly #thumbnails = new Thumbnails({
    clock: this.clock,
    finder: {
      glance: async () => ({ home: RegionId.parse('eu'), follower: undefined }),
      findPlayable: () => this.#refuse(),
    },
    media: { init: () => this.#refuse(), load: () => this.#refuse() },
    makeThumbnail: () => this.#refuse(),
    pictureOfHome: async () => {
      this.fetched += 1;
      return this.isAway ? this.#refuse() : Uint8Array.of(this.fetched);
    },
  });

  async picture(authorization?: string): Promise<unknown> {
    const entity = await this.#thumbnails.serve(requestOf(authorization), {
      params: { id: stream },
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

test('a request of another region is never passed on to a third', async () => {
  const rig = new Rig();
  await expect(rig.picture('Tangaza-Region us.1.x')).rejects.toThrow(
    expect.objectContaining({ code: 'UNAVAILABLE' }),
  );
  expect(rig.fetched).toBe(0);
});
