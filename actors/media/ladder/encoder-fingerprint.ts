/** What a period pins of its encoder, so that a worker with another one refuses its tasks (M7, C9). */
import { createHash } from 'node:crypto';

/**
 * Names an encoder: ffmpeg's version for people, and a hash over all it says of itself (build, configuration, library
 * versions) together with the version of our arguments.
 *
 * @param ffmpegVersion the whole output of `ffmpeg -version`
 * @param argsVersion raised with every change to the arguments that changes bytes
 */
export function encoderFingerprint(ffmpegVersion: string, argsVersion: number): string {
  const version = /^ffmpeg version (\S+)/.exec(ffmpegVersion)?.[1] ?? 'unknown';
  const hash = createHash('sha256').update(`${argsVersion}\n${ffmpegVersion.trim()}`).digest('hex');
  return `ffmpeg-${version}/args-${argsVersion}/${hash.slice(0, 12)}`;
}
