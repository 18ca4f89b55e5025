/** Runs ffmpeg, ffprobe and their like to their end, and keeps all that they say. */
import { spawn } from 'node:child_process';
import { z } from 'zod';

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** @param input given on stdin */
export async function runTool(
  command: string,
  args: readonly string[],
  input?: Uint8Array,
): Promise<ToolResult> {
  const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
  // A tool that has enough closes its stdin; its exit code says whether that was a fault.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 255));
  });
  return { exitCode, stdout: Buffer.concat(output), stderr: Buffer.concat(errors).toString() };
}

/** What `ffmpeg -v error -i INPUT -f null -` prints: nothing for what decodes clean. */
export async function decodeErrors(input: string, more: readonly string[] = []): Promise<string> {
  const args = ['-v', 'error', '-nostdin', '-i', input, ...more, '-f', 'null', '-'];
  const { exitCode, stdout, stderr } = await runTool('ffmpeg', args);
  return `${exitCode === 0 ? '' : `exit code ${exitCode} `}${stdout.toString()}${stderr}`;
}

const text = z.string().optional();
const Probe = z.object({
  format: z.object({ start_time: text, duration: text }).default({}),
  streams: z.array(
    z.object({
      codec_type: z.string(),
      codec_name: text,
      start_time: text,
      duration: text,
      nb_read_frames: text,
      sample_rate: text,
      width: z.number().optional(),
      height: z.number().optional(),
    }),
  ),
});
export type Probe = z.infer<typeof Probe>;

/** What ffprobe finds. @throws Error with its words when it prints any, or fails */
export async function probe(input: string, more: readonly string[] = []): Promise<Probe> {
  const args = ['-v', 'error', ...more, '-show_format', '-show_streams', '-of', 'json', input];
  const { exitCode, stdout, stderr } = await runTool('ffprobe', args);
  if (exitCode !== 0 || stderr !== '') throw new Error(`ffprobe ${input}: ${exitCode} ${stderr}`);
  return Probe.parse(JSON.parse(stdout.toString()));
}
