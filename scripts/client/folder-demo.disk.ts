/** Reads from a data folder's own files which demo runs there. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isRunning } from '../../config/process-identity.system.ts';
import { readRunningDemo, type RunningDemo } from '../demo/running-demo.disk.ts';
import type { FolderDemo } from './find-cluster.ts';

const Secrets = z.object({ operatorToken: z.string() });

export function readFolderDemo(folder: string): FolderDemo {
  const demo = readRunningDemo(folder);
  return { folder: resolve(folder), state: stateOf(demo), token: tokenIn(folder) };
}

function stateOf(demo: RunningDemo | undefined): FolderDemo['state'] {
  if (demo === undefined || !isRunning(demo)) return { kind: 'none', wasKilled: demo !== undefined };
  return demo.isReady
    ? { kind: 'running', urls: demo.nodes.map(({ url }) => url) }
    : { kind: 'starting', pid: demo.pid };
}

function tokenIn(folder: string): string | undefined {
  try {
    return Secrets.parse(JSON.parse(readFileSync(join(folder, 'region-1/secrets.json'), 'utf8')))
      .operatorToken;
  } catch {
    return undefined;
  }
}
