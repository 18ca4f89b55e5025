/** The demo's publisher: an ffmpeg that renders moving content, a UTC clock, and a flash with a beep at each full second. */

export interface PublisherOptions {
  /** The ingest points. Each gets the same feed (dual ingest), and is connected again for as long as it takes. */
  readonly urls: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly bitrateKbps: number;
}

/** How long flash and beep last, in seconds. */
const blinkSeconds = 0.08;
/** A broken output is opened again every second, for ever, and begins with a keyframe. The others do not notice. */
const recovery = [
  'attempt_recovery=1',
  'recover_any_error=1',
  'recovery_wait_time=1',
  'max_recovery_attempts=0',
  'restart_with_keyframe=1',
  'drop_pkts_on_overflow=1',
].join(':');

/** The arguments of one ffmpeg process that publishes until it is stopped. */
export function publisherArguments({
  urls,
  width,
  height,
  framesPerSecond,
  bitrateKbps,
}: PublisherOptions): readonly string[] {
  const fontSize = Math.round(height / 9);
  const clock = [
    `drawtext=font=DejaVu Sans Mono:text='%{gmtime\\:%H\\\\\\:%M\\\\\\:%S} UTC'`,
    `x=(w-text_w)/2:y=h*0.62:fontsize=${fontSize}:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=${Math.round(fontSize / 4)}`,
  ].join(':');
  const flash = `drawbox=x=iw*0.4:y=ih*0.1:w=iw*0.2:h=ih*0.2:color=white:t=fill:enable='lt(mod(t,1),${blinkSeconds})'`;
  const beep = `aevalsrc='0.4*sin(2*PI*1000*t)*lt(mod(t,1),${blinkSeconds})':s=48000:c=stereo`;
  return [
    ...['-hide_banner', '-loglevel', 'warning', '-nostdin'],
    ...[
      '-re',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=${width}x${height}:rate=${framesPerSecond},${flash},${clock}`,
    ],
    ...['-re', '-f', 'lavfi', '-i', beep],
    ...['-map', '0:v', '-map', '1:a'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-g', String(framesPerSecond * 2), '-keyint_min', String(framesPerSecond * 2), '-sc_threshold', '0'],
    ...['-b:v', `${bitrateKbps}k`, '-maxrate', `${bitrateKbps}k`, '-bufsize', `${bitrateKbps}k`],
    ...['-c:a', 'aac', '-b:a', '128k', '-ar', '48000'],
    ...['-flags', '+global_header', '-f', 'tee', '-use_fifo', '1', '-fifo_options', recovery],
    urls.map((url) => `[f=flv:onfail=ignore:rtmp_live=live]${url}`).join('|'),
  ];
}
