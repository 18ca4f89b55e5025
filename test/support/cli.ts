/** The CLI as its users run it: a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runCli(args: readonly string[], token: string): Promise<CliResult> {
  const script = join(import.meta.dirname, '../../scripts/tangaza.ts');
  const env = { ...process.env, TANGAZA_OPERATOR_TOKEN: token };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 255, stdout, stderr }),
    );
  });
}
