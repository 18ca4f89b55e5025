/** The processes of `bench fanout`: each on a core of its own, asked one question at a time. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

const longestTurnMs = 120_000;

const Failed = z.object({ error: z.string() });

export interface Process extends AsyncDisposable {
  readonly first: unknown;
  ask<T>(schema: z.ZodType<T>, command: object): Promise<T>;
}

/** @throws Error when the process ends instead of being ready */
export async function startProcess(file: string, args: readonly string[], core: number): Promise<Process> {
  const child = fork(join(import.meta.dirname, file), [...args], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const over = AbortSignal.timeout(longestTurnMs);
    const [message]: readonly unknown[] = await Promise.race([
      once(child, 'message', { signal: over }),
      exited.then(() => Promise.reject(new Error(`${file} has ended`))),
    ]);
    return message;
  };
  const first = await next();
  await pin(child, core);
  return {
    first,
    ask: async (schema, command) => {
      const answered = next();
      child.send(command);
      const answer = await answered;
      const failed = Failed.safeParse(answer);
      if (failed.success) throw new Error(`${file}: ${failed.data.error}`);
      return schema.parse(answer);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function pin(child: ChildProcess, core: number): Promise<void> {
  const pinned = spawn('taskset', ['-a', '-c', '-p', String(core), String(child.pid)], { stdio: 'ignore' });
  await once(pinned, 'exit');
}
