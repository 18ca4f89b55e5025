/** A real file system of some MB in a mount namespace of its own, seen by the processes that are started in it. It can be full. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface SmallDisk extends AsyncDisposable {
  /** What stands before the command of a process that is to see it. */
  readonly before: readonly string[];
  /** Takes all room that is left. */
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
}

const run = promisify(execFile);

/**
 * @param folder what lies there is hidden
 * @throws Error where this machine lets nobody make a namespace
 */
export async function openSmallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  const mount = `mount -t tmpfs -o size=${megabytes}m none '${folder}' && echo mounted && exec cat`;
  const holder = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const over = once(holder, 'exit');
  const first = once(holder.stdout, 'data').then(() => 'mounted' as const);
  if ((await Promise.race([first, over])) !== 'mounted')
    throw new Error(`unshare ended with code ${holder.exitCode}: this test needs user namespaces`);
  const space = ['--target', String(holder.pid), '--user', '--mount', '--preserve-credentials'];
  const before = ['nsenter', ...space, `--wd=${process.cwd()}`, '--'];
  const filler = join(folder, 'filler');
  const within = (script: string) => run('nsenter', [...space, '--', 'sh', '-c', script]);
  return {
    before,
    fill: async () => void (await within(`head -c ${megabytes}m /dev/zero > '${filler}' 2>/dev/null; true`)),
    makeRoom: async () => void (await within(`rm '${filler}'`)),
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      await over;
    },
  };
}
