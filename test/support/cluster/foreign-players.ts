/** A page with one foreign player (dash.js, Shaka, hls.js) in Chromium, on an origin of its own. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

export type Player = 'dash.js' | 'shaka-dash' | 'shaka-hls' | 'hls.js';

const root = resolve(import.meta.dirname, '../../..');
const scripts = {
  '/dash.js': 'node_modules/dashjs/dist/modern/umd/dash.all.min.js',
  '/shaka.js': 'node_modules/shaka-player/dist/shaka-player.compiled.js',
  '/hls.js': 'node_modules/hls.js/dist/hls.min.js',
} as const;

/** Of what a page does by itself: only so that none lasts for ever. */
export const pageTimeoutMs = 60_000;

/** Starts the player on `manifest`; records stalls, errors and what it shows in `window.seen`. */
const html = `<!doctype html><body style="margin:0;background:#000">
<video id="v" muted playsinline style="width:640px;height:360px"></video>
<script src="/dash.js"></script><script src="/shaka.js"></script><script src="/hls.js"></script>
<script>
const v = document.getElementById('v');
const seen = window.seen = { stalls: 0, errors: [], heights: [], hasStarted: false };
v.addEventListener('playing', () => { seen.hasStarted = true; });
// One that has media ahead waits for its decoder, as on a machine that is busy: not for what we serve.
const aheadSeconds = () => {
  for (let i = 0; i < v.buffered.length; i += 1)
    if (v.buffered.start(i) <= v.currentTime && v.currentTime <= v.buffered.end(i)) return v.buffered.end(i) - v.currentTime;
  return 0;
};
v.addEventListener('waiting', () => { if (seen.hasStarted && aheadSeconds() < 0.5) seen.stalls += 1; });
v.addEventListener('error', () => seen.errors.push('video: ' + (v.error && v.error.message)));
v.addEventListener('resize', () => seen.heights.push(v.videoHeight));
window.play = async (player, manifest, elsewhere) => {
  if (player === 'dash.js') {
    const p = dashjs.MediaPlayer().create();
    p.on('error', (e) => seen.errors.push('dash.js ' + JSON.stringify(e.error && e.error.message)));
    // After one manifest that cannot be had it never refreshes again, whatever steering says: its page must load another.
    p.on('error', (e) => { if (elsewhere && e.error && e.error.code === 25) p.attachSource(elsewhere); });
    window.player = p;
    // It plays by itself; a play() before it has attached its source keeps it from ever refreshing the manifest.
    p.initialize(v, manifest, true);
    return;
  } else if (player === 'hls.js') {
    const p = new Hls();
    p.on(Hls.Events.ERROR, (_, d) => { if (d.fatal) seen.errors.push('hls.js ' + d.details); });
    p.loadSource(manifest); p.attachMedia(v); window.player = p;
  } else {
    shaka.polyfill.installAll();
    const p = new shaka.Player(); await p.attach(v);
    p.addEventListener('error', (e) => seen.errors.push('shaka ' + (e.detail.code ?? e.detail)));
    window.player = p;
    await p.load(manifest);
  }
  await v.play();
};
</script>`;

export interface PlayerPage extends AsyncDisposable {
  readonly page: Page;
  /** Resolves when the playhead has moved `seconds` on. */
  playFor(seconds: number, withinMs: number): Promise<void>;
  /** Resolves when the playhead is `seconds` beyond the end of all that the player has in its buffer now. */
  playBeyondBuffer(seconds: number, withinMs: number): Promise<void>;
  report(): Promise<PlayerReport>;
}

export interface PlayerReport {
  readonly stalls: number;
  readonly errors: readonly string[];
  readonly heights: readonly number[];
  readonly currentTime: number;
  readonly bufferedRanges: number;
  readonly droppedFrames: number;
}

/** @param mayAutoplay whether pages may begin with sound, which a browser as it is installed refuses */
export async function launchChromium({ mayAutoplay = true } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: resolve(root, '.toolchain/bin/chromium'),
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--mute-audio'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      `--autoplay-policy=${mayAutoplay ? 'no-user-gesture-required' : 'document-user-activation-required'}`,
    ],
  });
}

/** @param elsewhere the same manifest at another edge, for what cannot leave a dead one by itself: dash.js */
export async function openPlayer(
  browser: Browser,
  player: Player,
  manifest: string,
  elsewhere = '',
): Promise<PlayerPage> {
  const site = await serveSite();
  const page = await browser.newPage({ viewport: { width: 640, height: 360 } });
  page.setDefaultTimeout(pageTimeoutMs);
  await page.goto(site.url);
  await page.evaluate(([name, url, other]) => window.play(name, url, other), [
    player,
    manifest,
    elsewhere,
  ] as const);
  const reaches = (seconds: number, withinMs: number) =>
    page.waitForFunction((end) => (document.querySelector('video')?.currentTime ?? 0) >= end, seconds, {
      timeout: withinMs,
    });
  return {
    page,
    playFor: async (seconds, withinMs) => {
      await page.waitForFunction(() => window.seen.hasStarted, undefined, { timeout: withinMs });
      const from = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
      await reaches(from + seconds, withinMs);
    },
    playBeyondBuffer: async (seconds, withinMs) => {
      const bufferedTo = await page.evaluate(() => {
        const { buffered, currentTime } = document.querySelector('video') ?? {};
        const ranges = buffered?.length ?? 0;
        return Math.max(currentTime ?? 0, ranges === 0 ? 0 : (buffered?.end(ranges - 1) ?? 0));
      });
      await reaches(bufferedTo + seconds, withinMs);
    },
    report: () =>
      page.evaluate(() => {
        const video = document.querySelector('video');
        const { stalls, errors, heights } = window.seen;
        return {
          stalls,
          errors,
          heights,
          currentTime: video?.currentTime ?? 0,
          bufferedRanges: video?.buffered.length ?? 0,
          droppedFrames: video?.getVideoPlaybackQuality().droppedVideoFrames ?? 0,
        };
      }),
    [Symbol.asyncDispose]: async () => {
      await page.close();
      await site.close();
    },
  };
}

async function serveSite(): Promise<{ url: string; close(): Promise<void> }> {
  const files = new Map<string, Buffer>();
  for (const [path, file] of Object.entries(scripts)) files.set(path, await readFile(resolve(root, file)));
  const server = createServer((request, response) => {
    const script = files.get(request.url ?? '');
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? html);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

declare global {
  interface Window {
    play(player: string, manifest: string, elsewhere: string): Promise<void>;
    seen: { stalls: number; errors: string[]; heights: number[]; hasStarted: boolean };
  }
}
