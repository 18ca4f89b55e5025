/** The CLI as its users run it: a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const tangazaScript = join(import.meta.dirname, '../../../scripts/tangaza.ts');
const mostMs = 60_000;

/** @param more further environment. @returns code 255 for one that had to be ended, after 60 s */
export function runCli(
  args: readonly string[],
  token: string,
  more: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const env = { ...process.env, ...more, TANGAZA_OPERATOR_TOKEN: token };
  const options = { env, timeout: mostMs, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [tangazaScript, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 255, stdout, stderr }),
    );
  });
}
