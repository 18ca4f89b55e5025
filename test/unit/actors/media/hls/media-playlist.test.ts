/** HLS media playlists, by hand-checked numbers: times, gaps, discontinuities, long segments, delta updates. */
import { describe, expect, test } from 'vitest';
import { mediaPlaylist } from '../../../../../actors/media/hls/media-playlist.ts';
import type { MediaPlaylistOptions } from '../../../../../actors/media/hls/media-playlist.ts';
import type { Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import type { Rendition } from '../../../../../cluster/contract/renditions.ts';
import { RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { audioRendition, fullLadder, passThroughOnly, stream } from '../../../../support/ports/records.ts';

const options: MediaPlaylistOptions = {
  streamId: stream,
  dvrWindowSeconds: 60,
  leastHoldBackSeconds: 6,
  edges: { revision: 0, edges: [] },
};

function linesOf(
  timeline: Timeline,
  name = 'h264-240p',
  more: Partial<MediaPlaylistOptions> = {},
): readonly string[] {
  return (mediaPlaylist(timeline, name, { ...options, ...more }) ?? 'none').trimEnd().split('\n');
}
const starting = (lines: readonly string[], start: string): readonly string[] =>
  lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
const total = (lines: readonly string[]): number =>
  starting(lines, '#EXTINF:').reduce((sum, line) => sum + parseFloat(line), 0);

test('a live playlist says number, map, date and duration of each segment', () => {
  const timeline = new LogBuilder().open().clock(passThroughOnly).segments(2).fold();
  expect(linesOf(timeline)).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:2',
    '#EXT-X-SERVER-CONTROL:HOLD-BACK=6.0',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-DISCONTINUITY-SEQUENCE:0',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MAP:URI="2/h264-240p/init.mp4"',
    '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z',
    '#EXTINF:2.000000,',
    '2/h264-240p/0.m4s',
    '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z',
    '#EXTINF:2.000000,',
    '2/h264-240p/180000.m4s',
  ]);
});

test('audio counts in its own ticks: 94 and 93 frames, dates by the same formula, durations that add up', () => {
  const lines = linesOf(new LogBuilder().open().clock().segments(4).fold(), 'aac-128k');
  expect(starting(lines, '#EXTINF:')).toEqual(['2.005333,', '2.005334,', '1.984000,', '2.005333,']);
  expect(total(lines)).toBeCloseTo(8, 9);
  expect(starting(lines, '#EXT-X-PROGRAM-DATE-TIME:')).toEqual([
    '2023-11-14T22:13:20.000Z',
    '2023-11-14T22:13:22.005Z',
    '2023-11-14T22:13:24.011Z',
    '2023-11-14T22:13:25.995Z',
  ]);
  expect(lines.filter((line) => line.endsWith('.m4s'))).toEqual(
    [0, 96_256, 192_512, 287_744].map((time) => `2/aac-128k/${time}.m4s`),
  );
});

test('30000/1001 fps: a thousand durations rounded to the microsecond add up to the media', () => {
  const timeline = new LogBuilder().open().clock().segments(1000, { duration90k: 180_180 }).fold();
  const durations = starting(linesOf(timeline, 'h264-720p', { dvrWindowSeconds: 9999 }), '#EXTINF:');
  const us = durations.reduce((sum, line) => sum + Math.round(parseFloat(line) * 1e6), 0);
  expect(us).toBe(2_002_000_000);
});

test('an unknown name has no playlist, nor has what only workers get', () => {
  const timeline = new LogBuilder().open().clock().segment().fold();
  for (const name of ['h264-144p', 'constructor', '__proto__', '', '../h264-240p'])
    expect(mediaPlaylist(timeline, name, options)).toBeUndefined();
});

test('an absent rung is a gap in its own playlist alone, a declared gap in all (M13)', () => {
  const timeline = new LogBuilder()
    .open()
    .clock()
    .segment()
    .segment({ absent: ['h264-720p'] })
    .gap()
    .segment()
    .fold();
  const gaps = (name: string): readonly string[] => {
    const lines = linesOf(timeline, name);
    return lines.filter((_, index) => lines[index - 2] === '#EXT-X-GAP');
  };
  expect(gaps('h264-720p')).toEqual(['2/h264-720p/180000.m4s', '2/h264-720p/360000.m4s']);
  expect(gaps('h264-240p')).toEqual(['2/h264-240p/360000.m4s']);
  expect(gaps('aac-128k')).toEqual(['2/aac-128k/192000.m4s']);
  expect(starting(linesOf(timeline, 'h264-720p'), '#EXT-X-MAP')).toHaveLength(1);
});

test('a rung that was never committed is all gaps and names no map', () => {
  const lines = linesOf(
    new LogBuilder()
      .open()
      .clock()
      .segments(3, { absent: ['h264-480p'] })
      .fold(),
    'h264-480p',
  );
  expect(starting(lines, '#EXT-X-GAP')).toHaveLength(3);
  expect(starting(lines, '#EXT-X-MAP')).toEqual([]);
});

describe('an outage between two periods (M10)', () => {
  test.for([0, 5, 40])(
    'of %i s shows in the dates alone, behind one discontinuity and a new map',
    (seconds) => {
      const lines = linesOf(
        new LogBuilder().open().clock().segments(2).clock(undefined, seconds).segments(2).fold(),
      );
      const at = lines.indexOf('#EXT-X-DISCONTINUITY');
      expect(lines.slice(at + 1, at + 5)).toEqual([
        '#EXT-X-MAP:URI="5/h264-240p/init.mp4"',
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(1_700_000_000_000 + 4000 + seconds * 1000).toISOString()}`,
        '#EXTINF:2.000000,',
        '5/h264-240p/0.m4s',
      ]);
      expect(starting(lines, '#EXT-X-DISCONTINUITY-SEQUENCE:')).toEqual(['0']);
      expect(total(lines)).toBeCloseTo(8, 9);
    },
  );
});

test('the window slides by durations, and the sequences are those of its first segment in every rendition', () => {
  const timeline = new LogBuilder().open().clock().segments(50).clock(undefined, 40).segments(25).fold();
  for (const name of ['h264-720p', 'h264-240p', 'aac-128k']) {
    const lines = linesOf(timeline, name, { dvrWindowSeconds: 40 });
    expect(starting(lines, '#EXT-X-MEDIA-SEQUENCE:')).toEqual(['55']);
    expect(starting(lines, '#EXT-X-DISCONTINUITY-SEQUENCE:')).toEqual(['1']);
    expect(starting(lines, '#EXTINF:')).toHaveLength(20);
  }
});

test('a window is never shorter than three of the longest segments there may be', () => {
  const lines = linesOf(new LogBuilder().open().clock().segments(50).fold(), 'h264-240p', {
    dvrWindowSeconds: 1,
  });
  expect(starting(lines, '#EXTINF:')).toHaveLength(18);
});

// Goal: the hold-back is the greater of three targets and what is configured, and is never more than is listed.
// Method: targets of 2, 4 and 12 s under each bound of the setting, in the shortest window there is.
test.for([
  [2, 6, '6.0'],
  [2, 10, '10.0'],
  [2, 30, '30.0'],
  [4, 10, '12.0'],
  [12, 30, '36.0'],
] as const)(
  'segments of %i s and a least hold-back of %i s are held back by %s',
  ([seconds, least, said]) => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segments(40, { duration90k: seconds * 90_000 });
    const more = { dvrWindowSeconds: 1, leastHoldBackSeconds: least };
    const lines = linesOf(log.fold(), 'h264-240p', more);
    expect(starting(lines, '#EXT-X-SERVER-CONTROL:HOLD-BACK=')).toEqual([said]);
    expect(total(lines)).toBeGreaterThanOrEqual(Number(said));
  },
);

describe('long segments (M11)', () => {
  test('one of 10 s sets target and hold-back for good', () => {
    const log = new LogBuilder().open().clock().segments(3).segment({ duration90k: 900_000 }).segments(40);
    const lines = linesOf(log.fold());
    expect(starting(lines, '#EXTINF:')).not.toContain('10.000000,');
    expect(lines).toContain('#EXT-X-TARGETDURATION:10');
    expect(lines).toContain('#EXT-X-SERVER-CONTROL:HOLD-BACK=30.0');
  });

  test('no duration rounds to more than the target, nor does the audio beside it', () => {
    const log = new LogBuilder().open().clock().segment({ duration90k: 224_900 }).segments(2);
    for (const name of ['h264-720p', 'aac-128k']) {
      const lines = linesOf(log.fold(), name);
      const longest = Math.max(...starting(lines, '#EXTINF:').map((line) => Math.round(parseFloat(line))));
      expect(longest).toBeLessThanOrEqual(Number(starting(lines, '#EXT-X-TARGETDURATION:')[0]));
    }
  });
});

/** The first rung of the ladder with another height. */
function at(height: number): readonly Rendition[] {
  return fullLadder
    .slice(0, 1)
    .map((one) =>
      one.kind === 'video' ? { ...one, name: RenditionName.parse(`h264-${height}p`), height } : one,
    );
}

describe('a ladder that changed', () => {
  const [hd, sd] = [fullLadder.filter((one) => one.name !== 'h264-480p'), passThroughOnly];
  const timeline = new LogBuilder()
    .open()
    .clock(hd)
    .segment()
    .clock(sd)
    .segment()
    .clock(fullLadder)
    .segment()
    .fold();

  test.for([
    ['h264-480p', ['2/h264-360p', '4/h264-240p', '6/h264-480p']],
    ['h264-720p', ['2/h264-720p', '4/h264-240p', '6/h264-720p']],
    ['aac-128k', ['2/aac-128k', '4/aac-128k', '6/aac-128k']],
  ] as const)('%s shows older periods by the nearest that these have', ([name, expected]) => {
    const paths = linesOf(timeline, name)
      .filter((line) => line.endsWith('.m4s'))
      .map((line) => line.replace(/\/\d+\.m4s$/, ''));
    expect(paths).toEqual(expected);
  });

  test('a rung that vanished goes on by the nearest of the new ones', () => {
    const later = new LogBuilder().open().clock(fullLadder).segment().clock(sd).segment().fold();
    expect(linesOf(later, 'h264-720p').at(-1)).toBe('4/h264-240p/0.m4s');
  });

  test('of two rungs equally near the lower one stands in', () => {
    const log = new LogBuilder()
      .open()
      .clock([...at(600), ...at(360)])
      .segment();
    expect(linesOf(log.clock(at(480)).segment().fold(), 'h264-480p')).toContain('2/h264-360p/0.m4s');
  });

  test('a period without sound is a gap in the audio playlist, with equal numbers', () => {
    const mute = new LogBuilder().open().clock().segment().clock(fullLadder.slice(0, 1)).segment().fold();
    const lines = linesOf(mute, audioRendition.name);
    expect(lines.slice(-4)).toEqual([
      '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z',
      '#EXT-X-GAP',
      '#EXTINF:2.000000,',
      '4/aac-128k/0.m4s',
    ]);
  });
});

describe('delta updates (M14)', () => {
  test('are offered above five minutes of window and skip what lies six targets back', () => {
    const timeline = new LogBuilder().open().clock().segments(400).fold();
    const full = linesOf(timeline, 'h264-240p', { dvrWindowSeconds: 600 });
    const delta = linesOf(timeline, 'h264-240p', { dvrWindowSeconds: 600, isDelta: true });
    expect(full).toContain('#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0');
    expect(delta.slice(1, 10)).toEqual([
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0',
      '#EXT-X-MEDIA-SEQUENCE:100',
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-SKIP:SKIPPED-SEGMENTS=293',
      '#EXT-X-MAP:URI="2/h264-240p/init.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:26:26.000Z',
    ]);
    // 293 skipped and 7 shown are the 300 of the whole; those shown are the same lines.
    expect(starting(full, '#EXTINF:')).toHaveLength(300);
    expect(delta.slice(9)).toEqual(full.slice(-21));
  });

  test('are not given below five minutes, nor when the stream is over', () => {
    const log = new LogBuilder().open().clock().segments(400);
    expect(linesOf(log.fold(), 'h264-240p', { isDelta: true }).join()).not.toContain('SKIP');
    const over = linesOf(log.end().fold(), 'h264-240p', { dvrWindowSeconds: 600, isDelta: true });
    expect(over.join()).not.toContain('SKIP');
    expect(over.at(-1)).toBe('#EXT-X-ENDLIST');
  });

  test('a discontinuity behind the skip is said where it is', () => {
    const timeline = new LogBuilder().open().clock().segments(400).clock().segments(3).fold();
    const delta = linesOf(timeline, 'h264-240p', { dvrWindowSeconds: 600, isDelta: true });
    expect(starting(delta, '#EXT-X-MAP')).toHaveLength(2);
    expect(starting(delta, '#EXT-X-DISCONTINUITY-SEQUENCE:')).toEqual(['0']);
    expect(delta.filter((line) => line === '#EXT-X-DISCONTINUITY')).toHaveLength(1);
  });
});

test('an empty timeline gives no playlist, an opened one an empty playlist', () => {
  expect(mediaPlaylist(new LogBuilder().fold(), 'h264-240p', options)).toBeUndefined();
  expect(linesOf(new LogBuilder().open().clock().fold())).toHaveLength(7);
});

// Goal: a playlist costs what it shows, not what is kept. Method: every read of a kept segment is counted.
test('a window of 900 segments out of 8,000 reads a few of the others at most', () => {
  const timeline = new LogBuilder().open().clock().segments(8000).fold();
  let reads = 0;
  const counted: Timeline = {
    ...timeline,
    periods: timeline.periods.map((period) => ({
      ...period,
      segments: new Proxy(period.segments, {
        get: (list, key, receiver) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
          return Reflect.get(list, key, receiver);
        },
      }),
    })),
  };
  const whole = mediaPlaylist(timeline, 'h264-240p', { ...options, dvrWindowSeconds: 1800 });
  expect(mediaPlaylist(counted, 'h264-240p', { ...options, dvrWindowSeconds: 1800 })).toBe(whole);
  expect(whole?.match(/#EXTINF/g)).toHaveLength(900);
  expect(reads).toBeLessThan(4 * 900);
});
