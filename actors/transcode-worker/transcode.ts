/**
 * The map step of one task: takes a source segment and stores its rungs. The same task gives the same bytes on every
 * worker.
 *
 * Nothing is stored before every rung is whole and checked, and keys are content-addressed (M5). So an attempt that
 * fails or is repeated leaves nothing that anybody could play by mistake.
 */
import { createHash } from 'node:crypto';
import type { TaskReport, TranscodeTask } from '../../cluster/contract/transcode-task.ts';
import type { InitSegment, VideoRendition } from '../../cluster/contract/renditions.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { Sha256 } from '../../cluster/model/ids.ts';
import { peakPercent } from '../media/ladder/plan-renditions.ts';
import { initKey, segmentKey } from '../segment-store/segment-key.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { afterOverrun, type RungOutput } from './encode-arguments.ts';
import { packRung, type RungSegment } from './rung-segment.ts';
import type { SegmentEncoder } from './segment-encoder.ts';

export interface TranscodePorts {
  readonly store: SegmentStore;
  readonly encoder: SegmentEncoder;
}

export type Outputs = Extract<TaskReport, { kind: 'done' }>['outputs'];

/**
 * How long one run of the encoder may take, in units of the time that the owner waits: a late output may still be of
 * use.
 */
const timeoutBudgets = 2;

interface Rung {
  readonly rendition: VideoRendition;
  readonly output: RungOutput;
}

/**
 * @throws TangazaError `SEGMENT_NOT_FOUND`, `STORE_UNAVAILABLE`, `STORE_FULL`; `MEDIA_INVALID` when the source is not
 *   what the task says; `TRANSCODE_FAILED`; `FINGERPRINT_DIFFERS` when an init segment is not the period's (M7)
 */
export async function transcode(
  task: TranscodeTask,
  ports: TranscodePorts,
  signal: AbortSignal,
): Promise<Outputs> {
  const rungs = task.renditions.map(rungOf);
  const source = await readSource(task, ports.store, signal);
  const segments = await encodeRungs(task, { rungs, source, encoder: ports.encoder }, signal);
  rungs.forEach(({ rendition }, index) => checkInit(task, rendition, segments[index]));
  const stored = await Promise.all(
    rungs.map(({ rendition }, index) =>
      putRung(task, { rendition, segment: segments[index], store: ports.store }, signal),
    ),
  );
  return Object.fromEntries(stored);
}

async function readSource(
  task: TranscodeTask,
  store: SegmentStore,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { key, initKey: sourceInitKey, sha256, bytes } = task.source;
  const [init, media] = await Promise.all([store.get(sourceInitKey, signal), store.get(key, signal)]);
  if (media.length !== bytes || sha256Of(media) !== sha256) {
    throw new TangazaError(
      'MEDIA_INVALID',
      `The source ${key} is not what the task says: ${media.length} of ${bytes} bytes, or another hash.`,
    );
  }
  return Buffer.concat([init, media]);
}

interface Encoding {
  readonly rungs: readonly Rung[];
  readonly source: Uint8Array;
  readonly encoder: SegmentEncoder;
}

/** Encodes all rungs at once, and those over 1.1 x maxrate once more, by themselves (M8). */
async function encodeRungs(
  task: TranscodeTask,
  { rungs, source, encoder }: Encoding,
  signal: AbortSignal,
): Promise<readonly RungSegment[]> {
  const timeoutMs = timeoutBudgets * task.budgetMs;
  const encode = async (outputs: readonly RungOutput[]): Promise<readonly Uint8Array[]> =>
    encoder.encode({ source, frameRate: task.sourceFrameRate, outputs, timeoutMs }, signal);
  const streams = [...(await encode(rungs.map(({ output }) => output)))];
  const tooLarge = rungs.flatMap(({ output }, index) =>
    isOverrun(task, output, streams[index]) ? [index] : [],
  );
  if (tooLarge.length > 0) {
    const again = await encode(
      tooLarge.flatMap((index) => rungs.slice(index, index + 1).map(({ output }) => afterOverrun(output))),
    );
    tooLarge.forEach((index, position) => {
      const stream = again[position];
      if (stream !== undefined) streams[index] = stream;
    });
  }
  return rungs.map(({ rendition }, index) => packRung(streams[index] ?? new Uint8Array(), rendition, task));
}

function isOverrun(task: TranscodeTask, { settings }: RungOutput, stream: Uint8Array | undefined): boolean {
  const bitsPerSecond = ((stream?.length ?? 0) * 8 * 90_000) / task.duration90k;
  return bitsPerSecond > (peakPercent / 100) * settings.maxrateBps;
}

function checkInit(task: TranscodeTask, { name }: VideoRendition, segment: RungSegment | undefined): void {
  const reference = task.inits[name];
  if (segment === undefined || reference === undefined) return;
  const own = sha256Of(segment.init);
  if (own === reference.sha256) return;
  throw new TangazaError(
    'FINGERPRINT_DIFFERS',
    `The init segment of ${name} is ${own}, the period's is ${reference.sha256}.`,
  );
}

interface Rendered {
  readonly rendition: VideoRendition;
  readonly segment: RungSegment | undefined;
  readonly store: SegmentStore;
}

async function putRung(
  task: TranscodeTask,
  { rendition, segment, store }: Rendered,
  signal: AbortSignal,
): Promise<readonly [string, Outputs[keyof Outputs]]> {
  if (segment === undefined)
    throw new TangazaError('TRANSCODE_FAILED', `The encoder left out ${rendition.name}.`);
  const place = { stream: task.streamId, period: task.period, rendition: rendition.name };
  const init: InitSegment = { sha256: sha256Of(segment.init), bytes: segment.init.length };
  const sha256 = sha256Of(segment.media);
  // The log has the reference only after that was stored.
  if (task.inits[rendition.name] === undefined)
    await store.putIfAbsent(initKey(place, init.sha256), segment.init, signal);
  await store.putIfAbsent(segmentKey(place, task.start90k, sha256), segment.media, signal);
  const media = { startTime: task.start90k, duration: task.duration90k, sha256, bytes: segment.media.length };
  return [rendition.name, { ...media, frames: segment.frames, init }];
}

function rungOf(rendition: VideoRendition): Rung {
  const { name, width, height, origin } = rendition;
  if (origin.kind !== 'encode')
    throw new TangazaError('TRANSCODE_FAILED', `Rendition ${name} is not to be encoded.`);
  return { rendition, output: { name, width, height, settings: origin.settings } };
}

function sha256Of(bytes: Uint8Array): Sha256 {
  return Sha256.parse(createHash('sha256').update(bytes).digest('hex'));
}
