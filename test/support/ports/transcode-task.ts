/** A valid task of the map step, for tests that change what they care about. */
import { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';

const hash = (digit: string): string => digit.repeat(64);

/** 50 pictures in 2 s, one rung of 240 lines. */
export const taskFields = {
  taskId: 'demo/7/0/lowest',
  attempt: 1,
  group: 'lowest',
  region: 'local',
  streamId: 'demo',
  period: 7,
  epoch: 1,
  owner: 'node-1',
  start90k: 0,
  duration90k: 180_000,
  source: {
    key: 'demo/7/h264-360p/0-aa',
    initKey: 'demo/7/h264-360p/init-bb',
    sha256: hash('a'),
    bytes: 1000,
  },
  sourceFrameRate: [25, 1],
  times90k: Array.from({ length: 50 }, (_, index) => index * 3600),
  renditions: [
    {
      kind: 'video',
      name: 'h264-240p',
      codecs: 'avc1.4d4015',
      width: 426,
      height: 240,
      sampleAspectRatio: [1, 1],
      frameRate: [25, 1],
      bandwidthBps: 440_000,
      timescale: 90_000,
      origin: {
        kind: 'encode',
        settings: {
          preset: 'veryfast',
          profile: 'main',
          level: 21,
          crf: 26,
          maxrateBps: 400_000,
          bufsizeBits: 400_000,
        },
      },
    },
  ],
  inits: {},
  fingerprint: 'ffmpeg-test/args-1/000000000000',
  budgetMs: 4000,
} as const;

/** @param changes fields of the task; not checked before the schema does */
export function sampleTask(changes: Record<string, unknown> = {}): TranscodeTask {
  return TranscodeTask.parse({ ...taskFields, ...changes });
}
