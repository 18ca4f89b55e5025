/** Names to bytes, devices to rungs, and the steering reply. */
import { describe, expect, test } from 'vitest';
import { renditionsForDevice, type DeviceType } from '../../../../../actors/media/timeline/devices.ts';
import { findMedia, isPlayable } from '../../../../../actors/media/timeline/query.ts';
import { steeringReply } from '../../../../../actors/media/timeline/steering.ts';
import type { TimelinePeriod } from '../../../../../actors/media/timeline/timeline.ts';
import type { Rendition } from '../../../../../cluster/contract/renditions.ts';
import { NodeId, PeriodId, RenditionName } from '../../../../../cluster/model/ids.ts';
import { hashOf, LogBuilder } from '../../../../support/ports/log-builder.ts';
import {
  audioRendition,
  fullLadder,
  region,
  sourceOnlyLadder,
  stream,
} from '../../../../support/ports/records.ts';

describe('a public name (M5)', () => {
  const log = new LogBuilder()
    .open()
    .clock()
    .segments(500)
    .segment({ absent: ['h264-720p'] })
    .segment()
    .trim(3);
  const timeline = log.fold();
  const find = (name: string, startTime: number, period = 2) =>
    findMedia(timeline, PeriodId.parse(period), name, startTime);

  test('means the bytes that the log says', () => {
    expect(find('h264-720p', 180_000 * 77)?.sha256).toBe(hashOf('2 h264-720p 13860000'));
    expect(find('h264-240p', 180_000 * 501)?.startTime).toBe(90_180_000);
  });

  test('is found for every audio segment, though it starts a little before or behind the picture', () => {
    const starts =
      timeline.periods[0]?.segments.map((segment) => segment.renditions[audioRendition.name]) ?? [];
    expect(starts).toHaveLength(499);
    for (const media of starts) {
      if (media === undefined || 'absent' in media) throw new Error('no audio');
      expect(find('aac-128k', media.startTime)).toBe(media);
    }
  });

  test.for([
    ['a time between two starts', 'h264-720p', 180_001, 2],
    ['one that was trimmed', 'h264-720p', 0, 2],
    ['an absent rung', 'h264-720p', 90_000_000, 2],
    ['one behind the end', 'h264-720p', 999_999_999_999, 2],
    ['an unknown rendition', 'h264-1p', 1_800_000, 2],
    ['a name of the language', 'constructor', 1_800_000, 2],
    ['an unknown period', 'h264-720p', 1_800_000, 9],
  ] as const)('is undefined for %s', ([, name, startTime, period]) => {
    expect(find(name, startTime, period)).toBeUndefined();
  });

  test('the source that only workers get has a name, too', () => {
    expect(isPlayable(new LogBuilder().open().clock(sourceOnlyLadder).fold())).toBe(false);
    expect(isPlayable(timeline)).toBe(true);
  });
});

function ladder(...heights: readonly number[]): readonly Rendition[] {
  const [first] = fullLadder;
  if (first?.kind !== 'video') throw new Error('no video');
  return heights.map((height) => ({
    ...first,
    name: RenditionName.parse(`h264-${height}p`),
    height,
    width: (height * 16) / 9,
  }));
}
function names(renditions: readonly Rendition[], device: DeviceType | undefined): readonly string[] {
  const period: TimelinePeriod | undefined = new LogBuilder().open().clock(renditions).fold().periods[0];
  return period === undefined
    ? []
    : renditionsForDevice(period, device).map((one) => one.name.replace('h264-', ''));
}

describe('a device', () => {
  const full = [...ladder(2160, 1080, 720, 360, 240), audioRendition];

  test.for([
    ['phone', ['720p', '360p', '240p', 'aac-128k']],
    ['tablet', ['1080p', '720p', '360p', '240p', 'aac-128k']],
    ['desktop', ['2160p', '1080p', '720p', '360p', '240p', 'aac-128k']],
    ['tv', ['2160p', '1080p', '720p', '360p', 'aac-128k']],
    [undefined, ['2160p', '1080p', '720p', '360p', '240p', 'aac-128k']],
  ] as const)('%s gets %j', ([device, expected]) => {
    expect(names(full, device)).toEqual(expected);
  });

  test('always gets something: the lowest where all are too big, the highest where all are too small', () => {
    expect(names(ladder(2160, 1080), 'phone')).toEqual(['1080p']);
    expect(names(ladder(240, 144), 'tv')).toEqual(['240p']);
    expect(names([audioRendition], 'phone')).toEqual(['aac-128k']);
  });

  test('an upright picture counts by its shorter side', () => {
    const upright = ladder(720).map((one) =>
      one.kind === 'video' ? { ...one, width: 720, height: 1280 } : one,
    );
    expect(names([...ladder(240), ...upright], 'phone')).toHaveLength(2);
  });
});

describe('the steering reply (M14)', () => {
  const edges = ['n2', 'n1', 'n3'].map((id) => ({ id: NodeId.parse(id), region, baseUrl: `http://${id}:1` }));

  test("keeps the viewer's order and says where to ask next", () => {
    expect(
      JSON.parse(steeringReply({ streamId: stream, edges, reloadUrl: 'http://n1:1/live/demo/steering' })),
    ).toEqual({
      VERSION: 1,
      TTL: 10,
      'RELOAD-URI': 'http://n1:1/live/demo/steering',
      'PATHWAY-PRIORITY': ['n2', 'n1', 'n3'],
    });
  });

  test('each edge is a clone of the main playlist, by the address of every playlist', () => {
    const timeline = new LogBuilder().open().clock(sourceOnlyLadder).segment().fold();
    const options = {
      streamId: stream,
      edges: edges.slice(0, 2),
      reloadUrl: 'http://n1:1/live/demo/steering',
    };
    const of = (host: string) => ({
      'h264-480p': `http://${host}:1/live/demo/h264-480p.m3u8`,
      'h264-240p': `http://${host}:1/live/demo/h264-240p.m3u8`,
      'aac-128k': `http://${host}:1/live/demo/aac-128k.m3u8`,
    });
    expect(JSON.parse(steeringReply({ ...options, timeline }))).toMatchObject({
      'PATHWAY-CLONES': ['n2', 'n1'].map((id) => ({
        'BASE-ID': '.',
        ID: id,
        'URI-REPLACEMENT': { 'PER-VARIANT-URIS': of(id), 'PER-RENDITION-URIS': of(id) },
      })),
    });
  });

  test('what the base pathway stands for is not cloned', () => {
    const timeline = new LogBuilder().open().clock(sourceOnlyLadder).segment().fold();
    const options = { streamId: stream, edges, reloadUrl: 'http://n1:1/live/demo/steering', timeline };
    expect(JSON.parse(steeringReply({ ...options, pathways: ['.', 'n1', 'n3'] }))).toMatchObject({
      'PATHWAY-PRIORITY': ['.', 'n1', 'n3'],
      'PATHWAY-CLONES': [{ ID: 'n1' }, { ID: 'n3' }],
    });
  });
});
