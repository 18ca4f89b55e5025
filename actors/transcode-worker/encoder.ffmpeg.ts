/**
 * The encoder on a real ffmpeg: one process for each attempt, run through fluent-ffmpeg.
 *
 * Every attempt has a folder of its own below the node's, which is removed whatever happens. What a crashed former
 * process of this node left there is removed when this one starts.
 *
 * F1. A process that takes too long gets SIGTERM and, 500 ms later, SIGKILL. (One with SVT-AV1 ignored SIGTERM after a
 *     muxer error.)
 * F2. fluent-ffmpeg would first run `ffmpeg -formats` and `-encoders`, keeps ffmpeg's path in a variable of the whole
 *     process, and crashes that process when a spawn fails. So each command's hooks for these three are replaced.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { isOverWithin } from '../../cluster/time/within.ts';
import { encoderFingerprint } from '../media/ladder/encoder-fingerprint.ts';
import { argumentsVersion, encodeArguments, globalArguments } from './encode-arguments.ts';
import type { EncodeRequest, SegmentEncoder } from './segment-encoder.ts';

export interface FfmpegOptions {
  /** The path of ffmpeg, 5.1 or newer. */
  readonly ffmpeg: string;
  /** This node's own folder. It is emptied at the start and removed at the end. */
  readonly tempRoot: string;
  readonly clock: Clock;
  /** How much the encoder gives way to other processes: 0 (default) to 19. */
  readonly niceness?: number;
}

const killGraceMs = 500;
/**
 * CPU seconds after which the kernel ends an ffmpeg that outlived its node: enough for eight rungs of the longest
 * segment.
 */
const orphanCpuSeconds = 480;
const stderrLines = 40;
const stderrChars = 600;

/** @throws Error when the folder cannot be made */
export async function openFfmpegEncoder(options: FfmpegOptions): Promise<SegmentEncoder> {
  const { tempRoot } = options;
  await rm(tempRoot, { recursive: true, force: true });
  await mkdir(tempRoot, { recursive: true });
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    encode: async (request, signal) => {
      const attempt = encodeInFolder(options, request, AbortSignal.any([signal, stopping.signal]));
      running.add(attempt);
      try {
        return await attempt;
      } finally {
        running.delete(attempt);
      }
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new TangazaError('UNAVAILABLE', 'The encoder stops.'));
      await Promise.allSettled(running);
      await rm(tempRoot, { recursive: true, force: true });
    },
  };
}

/**
 * Asks ffmpeg for its version, and names the encoder by it (C9).
 *
 * @throws TangazaError `TRANSCODE_FAILED` when there is no usable ffmpeg at that path
 */
export async function readFingerprint(path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-hide_banner', '-version'], {
      timeout: 10_000,
      maxBuffer: 1_000_000,
    });
    return encoderFingerprint(stdout, argumentsVersion);
  } catch (error) {
    throw new TangazaError('TRANSCODE_FAILED', `There is no usable ffmpeg at ${path}.`, { cause: error });
  }
}

async function encodeInFolder(
  options: FfmpegOptions,
  request: EncodeRequest,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  signal.throwIfAborted();
  const folder = await mkdtemp(join(options.tempRoot, 'attempt-'));
  try {
    await writeFile(join(folder, 'source.mp4'), request.source);
    const command = commandOf(options, request, folder);
    await run(command, { clock: options.clock, timeoutMs: request.timeoutMs }, signal);
    return await Promise.all(request.outputs.map(({ name }) => readFile(join(folder, `${name}.h264`))));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function commandOf(
  { ffmpeg: path, niceness }: FfmpegOptions,
  request: EncodeRequest,
  folder: string,
): FfmpegCommand {
  const { input, graph, outputs } = encodeArguments(request);
  const command = ffmpeg({ cwd: folder, niceness: niceness ?? 0, stdoutLines: stderrLines });
  command.input('source.mp4').inputOptions([...globalArguments(orphanCpuSeconds), ...input]);
  command.complexFilter([graph.filter]);
  outputs.forEach(({ file, options }, index) => {
    command.output(file).outputOptions(['-map', `[${graph.pads[index]}]`, ...options]);
  });
  return withoutProbing(command, path);
}

type Callback = (error: Error | null, value?: unknown) => void;
const noLines = { get: () => '', close: () => {}, append: () => {}, callback: () => {} };

/** Replaces fluent-ffmpeg's hooks that would probe ffmpeg and that crash this process when a spawn fails (F2). */
function withoutProbing(command: FfmpegCommand, path: string): FfmpegCommand {
  const spawn: unknown = Reflect.get(command, '_spawnFfmpeg');
  if (typeof spawn !== 'function') throw new Error('fluent-ffmpeg has changed: it has no _spawnFfmpeg');
  return Object.assign(command, {
    _getFfmpegPath: (done: Callback) => done(null, path),
    _checkCapabilities: (done: Callback) => done(null),
    availableEncoders: (done: Callback) => done(null, {}),
    _spawnFfmpeg: (
      args: string[],
      options: object,
      started: unknown,
      ended: (...results: unknown[]) => void,
    ) =>
      Reflect.apply(spawn, command, [
        args,
        options,
        started,
        (error: unknown, stdout: unknown = noLines, stderr: unknown = noLines) =>
          ended(error, stdout, stderr),
      ]),
  });
}

interface RunLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Runs ffmpeg until its process is gone, in every case; a late one is killed (F1). */
async function run(
  command: FfmpegCommand,
  { clock, timeoutMs }: RunLimits,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const end = ended(command);
  const stopped = Promise.withResolvers<never>();
  let isStopping = false;
  const stop = async (reason: unknown): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    command.kill('SIGTERM');
    await isOverWithin(end, { clock, ms: killGraceMs });
    command.kill('SIGKILL');
    await isOverWithin(end, { clock, ms: killGraceMs });
    stopped.reject(reason);
  };
  const onAbort = (): void => void stop(signal.reason).catch(() => {});
  const late = new TangazaError('TRANSCODE_FAILED', `ffmpeg was ended: not done after ${timeoutMs} ms.`);
  void clock
    .sleep(timeoutMs, over.signal)
    .then(() => stop(late))
    .catch(() => {});
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    command.run();
    await Promise.race([
      stopped.promise,
      end.catch((error: unknown) => (isStopping ? stopped.promise : Promise.reject(error))),
    ]);
    signal.throwIfAborted();
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

function ended(command: FfmpegCommand): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  command.once('end', () => resolve());
  command.once('error', (error: Error, _stdout: unknown, stderr: unknown) => reject(failure(error, stderr)));
  // Whoever races this promise may have left when it fails.
  promise.catch(() => {});
  return promise;
}

/** An error that quotes ffmpeg's last words; of long ones the start and the end. */
function failure(error: Error, stderr: unknown): TangazaError {
  const words = typeof stderr === 'string' ? stderr.trim() : '';
  const tail = words.length <= stderrChars ? words : `…${words.slice(-stderrChars)}`;
  const [summary = ''] = error.message.split(':');
  return new TangazaError('TRANSCODE_FAILED', tail === '' ? `${error.message}.` : `${summary}: ${tail}`, {
    cause: error,
  });
}
