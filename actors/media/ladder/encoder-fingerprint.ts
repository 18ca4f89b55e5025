/** Names an encoder. A period pins the name, so that a worker with another encoder refuses its tasks (M7, C9). */
import { createHash } from 'node:crypto';

/**
 * The name has ffmpeg's version for people, and a hash over all that ffmpeg says of itself (build, configuration,
 * library versions) and the version of our arguments.
 *
 * @param ffmpegVersion the whole output of `ffmpeg -version`
 * @param argsVersion raised with every change to the arguments that changes bytes
 */
export function encoderFingerprint(ffmpegVersion: string, argsVersion: number): string {
  const version = /^ffmpeg version (\S+)/.exec(ffmpegVersion)?.[1] ?? 'unknown';
  const hash = createHash('sha256').update(`${argsVersion}\n${ffmpegVersion.trim()}`).digest('hex');
  return `ffmpeg-${version}/args-${argsVersion}/${hash.slice(0, 12)}`;
}
