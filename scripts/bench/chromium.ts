/** Finds the Chromium that benchmarks drive: the one that set-up installed, or else the system's. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const own = resolve(import.meta.dirname, '../../.toolchain/bin/chromium');

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: existsSync(own) ? own : '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--mute-audio',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}
