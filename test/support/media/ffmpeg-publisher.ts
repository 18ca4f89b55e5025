/** A real ffmpeg that publishes by RTMP for as long as a test needs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface FfmpegPublisher extends AsyncDisposable {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** Resolves with the exit code once it ends by itself. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Only the picture, or only the sound, of a pair of inputs such as `flashAndBeep()` gives. */
export function onlyInput(inputs: readonly string[], position: 0 | 1): readonly string[] {
  const second = inputs.indexOf('-f', 1);
  return position === 0 ? inputs.slice(0, second) : inputs.slice(second);
}

/** Flash and beep at each full second, a frame counter burnt in; 48 kHz AAC. */
export function flashAndBeep(width = 640, height = 360, framesPerSecond = 25): readonly string[] {
  const blink = `lt(mod(t,1),0.08)`;
  return [
    ...[
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=${width}x${height}:rate=${framesPerSecond},drawbox=color=white:t=fill:enable='${blink}'`,
    ],
    ...['-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*1000*t)*${blink}':s=48000:c=stereo`],
  ];
}

export function x264(
  framesPerSecond: number,
  gopSeconds: number,
  more: readonly string[] = [],
): readonly string[] {
  const gop = String(Math.round(framesPerSecond * gopSeconds));
  return [
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-g',
      gop,
      '-keyint_min',
      gop,
      '-sc_threshold',
      '0',
    ],
    ...['-c:a', 'aac', '-b:a', '128k', '-ar', '48000'],
    ...more,
  ];
}

/** @param input `-i` and what comes before it; `-re` is added for a live pace */
export function publish(url: string, input: readonly string[], output: readonly string[]): FfmpegPublisher {
  const pace = input.flatMap((word) => (word === '-i' ? ['-re', '-i'] : [word]));
  const child = spawn(
    'ffmpeg',
    ['-hide_banner', '-loglevel', 'warning', '-nostdin', ...pace, ...output, '-f', 'flv', url],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  const keep = (bytes: Buffer): void => {
    text = (text + bytes.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = once(child, 'close');
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await closed;
  };
  return {
    pid: child.pid ?? 0,
    output: () => text,
    ended: closed.then(() => child.exitCode ?? 255),
    kill,
    [Symbol.asyncDispose]: () => kill('SIGKILL'),
  };
}
