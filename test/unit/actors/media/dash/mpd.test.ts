/** The MPD, parsed as XML: times of periods, timelines, absent rungs, steering, devices, the end. */
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { mpd } from '../../../../../actors/media/dash/mpd.ts';
import type { ManifestOptions } from '../../../../../actors/media/timeline/manifest-options.ts';
import type { Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import type { Rendition } from '../../../../../cluster/contract/renditions.ts';
import { NodeId } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import {
  audioRendition,
  fullLadder,
  passThroughOnly,
  region,
  stream,
} from '../../../../support/ports/records.ts';

const options: ManifestOptions = {
  streamId: stream,
  dvrWindowSeconds: 60,
  leastHoldBackSeconds: 6,
  edges: { revision: 0, edges: [] },
};
const edge = (id: string, baseUrl: string) => ({ id: NodeId.parse(id), region, baseUrl });
const edges = { revision: 3, edges: [edge('n1', 'http://a:8080'), edge('n2', 'http://b:8081')] };

const S = z.object({ t: z.string().optional(), d: z.string(), r: z.string().optional() });
const AdaptationSet = z.looseObject({
  contentType: z.string(),
  SupplementalProperty: z.array(z.object({ schemeIdUri: z.string(), value: z.string() })).default([]),
  SegmentTemplate: z.tuple([
    z.looseObject({
      timescale: z.string(),
      presentationTimeOffset: z.string(),
      initialization: z.string(),
      media: z.string(),
      SegmentTimeline: z.tuple([z.object({ S: z.array(S) })]),
    }),
  ]),
  Representation: z.array(z.looseObject({ id: z.string() })),
});
const Period = z.looseObject({
  id: z.string(),
  start: z.string(),
  duration: z.string().optional(),
  AdaptationSet: z.array(AdaptationSet),
});
const Document = z.object({ MPD: z.tuple([z.looseObject({ Period: z.array(Period).default([]) })]) });

function parse(text: string) {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
  });
  const xml: unknown = parser.parse(text);
  return Document.parse(xml).MPD[0];
}
const read = (timeline: Timeline, more: Partial<ManifestOptions> = {}) =>
  parse(mpd(timeline, { ...options, ...more }));

/** `[start, duration]` in ticks of every listed segment. */
function listed({
  SegmentTemplate: [{ SegmentTimeline }],
}: z.infer<typeof AdaptationSet>): readonly (readonly [number, number])[] {
  const result: (readonly [number, number])[] = [];
  let time = 0;
  for (const { t, d, r } of SegmentTimeline[0].S) {
    time = t === undefined ? time : Number(t);
    for (let count = 0; count <= Number(r ?? 0); count += 1) {
      result.push([time, Number(d)]);
      time += Number(d);
    }
  }
  return result;
}

// A ServiceDescription's latency is counted twice by Shaka: it slowed down until it was that far behind the delay.
test('the delay behind live is said once, as suggestedPresentationDelay', () => {
  const text = mpd(new LogBuilder().open().clock(passThroughOnly).segments(4).fold(), options);
  expect(text).toContain('suggestedPresentationDelay="PT6S"');
  expect(text).not.toContain('ServiceDescription');
});

test('a configured delay is said where it is more than three targets (C8)', () => {
  const log = new LogBuilder().open().clock(passThroughOnly).segments(4);
  expect(read(log.fold(), { leastHoldBackSeconds: 10 })['suggestedPresentationDelay']).toBe('PT10S');
  const long = log.segment({ duration90k: 450_000 }).fold();
  expect(read(long, { leastHoldBackSeconds: 10 })['suggestedPresentationDelay']).toBe('PT15S');
});

test('a small live stream, to the byte', () => {
  const timeline = new LogBuilder().open().clock(passThroughOnly).segments(4).fold();
  expect(mpd(timeline, options)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="2023-11-14T22:13:20.000Z" publishTime="2023-11-14T22:13:32.000Z" minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT60S" suggestedPresentationDelay="PT6S" maxSegmentDuration="PT2.006S" minBufferTime="PT2S">
<Period id="2" start="PT0S">
<AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" par="71:40" maxWidth="426" maxHeight="240">
<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
<SegmentTemplate timescale="90000" presentationTimeOffset="0" initialization="2/$RepresentationID$/init.mp4" media="2/$RepresentationID$/$Time$.m4s">
<SegmentTimeline>
<S t="0" d="180000" r="3"/>
</SegmentTimeline>
</SegmentTemplate>
<Representation id="h264-240p" bandwidth="960000" codecs="avc1.64001f" width="426" height="240" frameRate="30" sar="1:1"/>
</AdaptationSet>
<AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="und" segmentAlignment="true" startWithSAP="1">
<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
<SegmentTemplate timescale="48000" presentationTimeOffset="0" initialization="2/$RepresentationID$/init.mp4" media="2/$RepresentationID$/$Time$.m4s">
<SegmentTimeline>
<S t="0" d="96256" r="1"/>
<S d="95232"/>
<S d="96256"/>
</SegmentTimeline>
</SegmentTemplate>
<Representation id="aac-128k" bandwidth="140000" codecs="mp4a.40.2" audioSamplingRate="48000">
<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
</Representation>
</AdaptationSet>
</Period>
<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="../../v1/time"/>
</MPD>
`);
});

describe('an outage between two periods (M10)', () => {
  test.for([
    [0, 'PT4S', 'PT4S'],
    [5, 'PT9S', 'PT4S'],
    [40, 'PT44S', 'PT4S'],
  ] as const)(
    'of %i s: the next period starts at %s, the one before lasts %s',
    ([seconds, start, duration]) => {
      const { Period: periods } = read(
        new LogBuilder().open().clock().segments(2).clock(undefined, seconds).segments(3).fold(),
      );
      expect(periods.map(({ id, start: from, duration: lasts }) => [id, from, lasts])).toEqual([
        ['2', 'PT0S', duration],
        ['5', start, undefined],
      ]);
      expect(periods[1]?.AdaptationSet[0]?.SegmentTemplate[0].presentationTimeOffset).toBe('0');
      expect(periods[1]?.AdaptationSet[0]?.SupplementalProperty).toEqual([]);
    },
  );
});

describe('an absent rung (M13)', () => {
  const log = new LogBuilder()
    .open()
    .clock()
    .segments(3)
    .segments(5, { absent: ['h264-720p'] })
    .segments(2);
  const { Period: periods } = read(log.fold());
  const rungs = periods.map(({ AdaptationSet: sets }) => sets[0]?.Representation.map(({ id }) => id) ?? []);

  test('opens a Period of the rungs that are there, with the same URLs and clock', () => {
    expect(periods.map(({ id, start, duration }) => [id, start, duration])).toEqual([
      ['2', 'PT0S', 'PT6S'],
      ['2-3', 'PT6S', 'PT10S'],
      ['2-8', 'PT16S', undefined],
    ]);
    expect(rungs.map((ids) => ids.length)).toEqual([4, 3, 4]);
    expect(rungs[1]).not.toContain('h264-720p');
    const videos = periods.map(({ AdaptationSet: sets }) => sets[0]?.SegmentTemplate[0]);
    expect(videos.map((template) => template?.presentationTimeOffset)).toEqual(['0', '540000', '1440000']);
    expect(new Set(videos.map((template) => template?.media))).toEqual(
      new Set(['2/$RepresentationID$/$Time$.m4s']),
    );
  });

  test('is continuous with the Period before, in picture and in sound', () => {
    const audio = periods.map(({ AdaptationSet: sets }) => sets[1]);
    expect(audio.map((set) => set?.SegmentTemplate[0].presentationTimeOffset)).toEqual([
      '0',
      '288000',
      '768000',
    ]);
    expect(audio.flatMap((set) => (set ? listed(set) : [])).map(([start]) => start)).toEqual([
      0, 96_256, 192_512, 287_744, 384_000, 480_256, 576_512, 671_744, 768_000, 864_256,
    ]);
    for (const index of [0, 1]) {
      const continuity = periods.map(({ AdaptationSet: sets }) =>
        sets[index]?.SupplementalProperty.map(({ value }) => value),
      );
      expect(continuity).toEqual([[], ['2'], ['2-3']]);
    }
  });

  test('Period names and starts hold when the window has left the first of them', () => {
    const later = read(log.segments(26).fold(), { dvrWindowSeconds: 60 });
    expect(later.Period.map(({ id, start }) => [id, start])).toEqual([
      ['2-3', 'PT6S'],
      ['2-8', 'PT16S'],
    ]);
    expect(later.Period[0]?.AdaptationSet[0]?.SupplementalProperty).toEqual([]);
    expect(listed(later.Period[0]?.AdaptationSet[0] ?? failed())[0]).toEqual([1_080_000, 180_000]);
  });
});

test('a gap of all rungs is a hole in the timelines, no new Period', () => {
  const { Period: periods } = read(
    new LogBuilder().open().clock().segments(2).gap(180_000).segments(2).fold(),
  );
  expect(periods).toHaveLength(1);
  const [video, audio] = periods[0]?.AdaptationSet ?? [];
  expect(listed(video ?? failed())).toEqual([0, 180_000, 540_000, 720_000].map((start) => [start, 180_000]));
  expect(video?.SegmentTemplate[0].SegmentTimeline[0].S).toEqual([
    { t: '0', d: '180000', r: '1' },
    { t: '540000', d: '180000', r: '1' },
  ]);
  expect(listed(audio ?? failed()).map(([start]) => start)).toEqual([0, 96_256, 287_744, 384_000]);
});

test('segments of 10 s set every delay to three of them (M11)', () => {
  const timeline = new LogBuilder()
    .open()
    .clock(fullLadder.slice(0, 1))
    .segments(3, { duration90k: 900_000 })
    .segment()
    .fold();
  expect(read(timeline)).toMatchObject({
    suggestedPresentationDelay: 'PT30S',
    maxSegmentDuration: 'PT10S',
    minimumUpdatePeriod: 'PT5S',
  });
});

const kinds = (timeline: Timeline) =>
  read(timeline).Period.flatMap(({ AdaptationSet: sets }) => sets.map((set) => set.contentType));

test('video alone and audio alone have one set each', () => {
  expect(kinds(new LogBuilder().open().clock(fullLadder.slice(0, 2)).segment().fold())).toEqual(['video']);
  expect(kinds(new LogBuilder().open().clock([audioRendition]).segments(2).fold())).toEqual(['audio']);
});

test('frame rates and sample aspect ratios are written as ratios', () => {
  const anamorphic = fullLadder.slice(0, 1).map((one) => {
    if (one.kind !== 'video') return one;
    return {
      ...one,
      width: 720,
      height: 576,
      sampleAspectRatio: [64, 45] as [number, number],
      frameRate: [30_000, 1001] as [number, number],
    };
  });
  const set = read(new LogBuilder().open().clock(anamorphic).segment().fold()).Period[0]?.AdaptationSet[0];
  expect(set).toMatchObject({ par: '16:9' });
  expect(set?.Representation[0]).toMatchObject({ frameRate: '30000/1001', sar: '64:45' });
});

describe('edges (M14)', () => {
  const timeline = new LogBuilder().open().clock().segments(2).fold();

  test('two edges have a BaseURL and a Location each, and steering comes last', () => {
    const text = mpd(timeline, { ...options, edges, device: 'phone' });
    expect(parse(text)).toMatchObject({
      BaseURL: [
        { serviceLocation: 'n1', '#text': 'http://a:8080/live/demo/' },
        { serviceLocation: 'n2', '#text': 'http://b:8081/live/demo/' },
      ],
      Location: [
        { serviceLocation: 'n1', '#text': 'http://a:8080/live/demo/manifest.mpd?device=phone' },
        { serviceLocation: 'n2', '#text': 'http://b:8081/live/demo/manifest.mpd?device=phone' },
      ],
    });
    const last =
      '<ContentSteering queryBeforeStart="true">http://b:8081/live/demo/steering</ContentSteering>\n</MPD>\n';
    expect(text.endsWith(last)).toBe(true);
  });

  test('one edge keeps addresses relative, none has no steering', () => {
    const one = read(timeline, { edges: { revision: 1, edges: edges.edges.slice(0, 1) } });
    expect(one).toMatchObject({ BaseURL: [{ serviceLocation: 'n1', '#text': './' }] });
    expect(one['Location']).toBeUndefined();
    expect(read(timeline)['ContentSteering']).toBeUndefined();
  });

  test('the address of the clock is the node that the manifest came from, whatever the BaseURL', () => {
    for (const base of ['http://a:8080/live/demo/manifest.mpd', 'http://a:8080/live/demo/']) {
      expect(new URL('../../v1/time', base).href).toBe('http://a:8080/v1/time');
    }
  });

  // A region whose clock is 30 s off would else look for the live edge 30 s beside it.
  test('where there are several regions, the clock is that of the region in which the stream began (R12)', () => {
    expect(mpd(timeline, { ...options, hasOtherRegions: true })).toContain('value="../../v1/time?region=eu"');
    expect(mpd(timeline, { ...options, hasOtherRegions: false })).toContain('value="../../v1/time"');
  });

  test('two folds of one log give the same bytes, and addresses are escaped', () => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segments(20, { absent: ['h264-720p'] })
      .segments(20);
    expect(mpd(log.fold(), { ...options, edges })).toBe(mpd(log.fold(), { ...options, edges }));
    expect(
      mpd(timeline, {
        ...options,
        edges: { revision: 1, edges: [edge('a', 'http://x/?a&b'), edge('b', 'http://y')] },
      }),
    ).toContain('http://x/?a&amp;b/live');
  });
});

test('a device gets its rungs, and the lowest present one where none of them is there', () => {
  const log = new LogBuilder()
    .open()
    .clock()
    .segment()
    .segment({ absent: ['h264-720p', 'h264-480p', 'h264-360p'] });
  const rungs = read(log.fold(), { device: 'tv' }).Period.map(({ AdaptationSet: sets }) =>
    sets[0]?.Representation.map(({ id }) => id),
  );
  expect(rungs).toEqual([['h264-720p', 'h264-480p', 'h264-360p'], ['h264-240p']]);
});

describe('when the stream is over', () => {
  test('the MPD is static, with a duration, and asks for no update', () => {
    const document = read(new LogBuilder().open().clock().segments(3).end().fold());
    expect(document).toMatchObject({
      type: 'static',
      mediaPresentationDuration: 'PT6S',
      Period: [{ start: 'PT0S', duration: 'PT6S' }],
    });
    expect(document['minimumUpdatePeriod']).toBeUndefined();
    expect(document['timeShiftBufferDepth']).toBeUndefined();
  });

  test('it begins with the first segment shown, at the time it had', () => {
    const [period] = read(new LogBuilder().open().clock().segments(100).end().fold()).Period;
    expect(period).toMatchObject({ id: '2', start: 'PT140S', duration: 'PT60S' });
    const [video, audio] = period?.AdaptationSet ?? [];
    expect(video?.SegmentTemplate[0].presentationTimeOffset).toBe('12600000');
    expect(audio?.SegmentTemplate[0].presentationTimeOffset).toBe('6720000');
    expect(listed(video ?? failed())[0]).toEqual([12_600_000, 180_000]);
  });

  test('a clock that begins again makes it dynamic once more', () => {
    expect(
      read(new LogBuilder().open().clock().segments(3).end().clock(undefined, 9).segment().fold()),
    ).toMatchObject({ type: 'dynamic' });
  });
});

test('a log without a segment gives a document without a Period', () => {
  expect(read(new LogBuilder().open().clock().fold()).Period).toEqual([]);
});

function failed(): never {
  throw new Error('no such element');
}

test('captions in the pictures are signalled for the video alone, before its role', () => {
  const captioned = passThroughOnly.map((one) =>
    one.kind === 'video' ? { ...one, hasCaptions: true } : one,
  );
  const text = (renditions: readonly Rendition[]): string =>
    mpd(new LogBuilder().open().clock(renditions).segments(3).fold(), options);
  const signal = '<Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=und"/>';
  expect(text(captioned).split('<Accessibility')).toHaveLength(2);
  expect(text(captioned).replaceAll(/>\s+</g, '><')).toContain(`${signal}<Role`);
  expect(text(passThroughOnly)).not.toContain('Accessibility');
});
