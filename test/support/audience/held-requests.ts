/** Requests that another process opens and keeps, as this one may not have so many files open (`hold-many.ts`). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface HeldRequests {
  /** Resolves when all are sent. */
  readonly opened: Promise<void>;
  /** How many ended with which status, once all have ended. */
  statuses(): Promise<unknown>;
  kill(): void;
}

interface Held {
  readonly count: number;
  readonly path: string;
  /** Half: upgrades to a live socket whose last line never comes. */
  readonly how?: 'whole' | 'half';
}

export function holdMany(port: number, { count, path, how = 'whole' }: Held): HeldRequests {
  const file = join(import.meta.dirname, 'hold-many.ts');
  const child = spawn(process.execPath, [file, String(port), String(count), path, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const opening = async (): Promise<void> => {
    const line = await next();
    if (line !== 'opened') throw new Error(`hold-many said ${line}`);
  };
  const opened = opening();
  return {
    opened,
    statuses: async () => JSON.parse((await next()).slice('statuses '.length)),
    kill: () => void child.kill('SIGKILL'),
  };
}
