/**
 * Makes one picture of a segment with ffmpeg: MP4 in on stdin, JPEG out on stdout, no file. The child runs on one thread and has 5 s. Then
 * it is killed with SIGKILL, as a hung ffmpeg ignores anything softer.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { MakeThumbnail } from './thumbnails.ts';

export interface ThumbnailOptions {
  readonly ffmpeg: string;
  readonly height?: number;
  readonly timeoutMs?: number;
}

const maxJpegBytes = 4_194_304;
const maxErrorChars = 500;

export function ffmpegThumbnail({ ffmpeg, height = 360, timeoutMs = 5000 }: ThumbnailOptions): MakeThumbnail {
  const input = ['-threads', '1', '-f', 'mp4', '-i', 'pipe:0'];
  const picture = ['-an', '-frames:v', '1', '-vf', `scale=-2:'min(${height},ih)'`, '-q:v', '5'];
  const args = [
    '-hide_banner',
    '-nostdin',
    '-v',
    'error',
    ...input,
    ...picture,
    '-threads',
    '1',
    '-f',
    'mjpeg',
    'pipe:1',
  ];
  return async (file) => {
    const child = spawn(ffmpeg, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => {}); // it stops reading once it has its picture
    child.stdin.end(file);
    try {
      const [jpeg, errors] = await Promise.all([
        gather(child, child.stdout),
        tail(child.stderr),
        once(child, 'close'),
      ]);
      if (child.exitCode === 0 && jpeg.byteLength > 0) return jpeg;
      throw new TangazaError(
        'MEDIA_INVALID',
        `ffmpeg made no picture: ${errors || child.signalCode || child.exitCode}`,
      );
    } catch (error) {
      if (error instanceof TangazaError) throw error;
      throw new TangazaError('UNAVAILABLE', 'ffmpeg cannot be run on this node.', { cause: error });
    } finally {
      child.kill('SIGKILL');
    }
  };
}

async function gather(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  stream: Readable,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.byteLength;
    if (bytes > maxJpegBytes) child.kill('SIGKILL');
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function tail(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text = `${text}${String(chunk)}`.slice(-maxErrorChars);
  return text.trim();
}
