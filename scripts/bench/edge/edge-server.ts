/**
 * The edge of the benchmark: the real core and listener, in a process of its own, with two live streams in memory.
 *
 * `demo` has segments of 100 kB and a full DVR window of 30 min; `large` has segments of 1 MB. Both get a segment every 2 s, so that
 * manifests are made again as on air. Sends `{ port, paths }` to its parent when everything is there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startTestEdge } from '../../../test/support/ports/test-edge.ts';

const windowSegments = 900;
const largeSegments = 8;

const edge = await startTestEdge();
edge.streams.add('large');
const demo = await edge.broadcast(windowSegments, { bytes: 100_000 });
const large = await edge.broadcast(largeSegments, { id: 'large', bytes: 1_000_000 });
process.send?.({
  port: edge.port,
  paths: {
    'segment 100 kB': demo.segmentPath(windowSegments - 1),
    'segment 1 MB': large.segmentPath(largeSegments - 1),
    'manifest.mpd': '/live/demo/manifest.mpd',
    'media playlist, 30 min': '/live/demo/h264-240p.m3u8',
  },
});
process.on('disconnect', () => process.exit(0));
for (;;) {
  await delay(2000);
  await demo.commit();
  await large.commit();
}
