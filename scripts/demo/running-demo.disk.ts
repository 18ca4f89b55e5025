/**
 * Reads and writes `up.json` in a demo's data folder: which processes the demo has, and where its nodes answer. A command on that folder
 * finds the demo by it, and the next demo finds what a killed one left running. It is written at each change and removed at an orderly
 * stop. It counts only while the process that wrote it runs. It holds no secret.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isRunning, ownIdentity, startOf } from '../../config/process-identity.system.ts';

const Process = z.object({ name: z.string(), pid: z.number().int(), started: z.string() });
const Node = z.object({ region: z.string(), node: z.string(), url: z.string(), rtmp: z.string() });
const RunningDemo = z.object({
  pid: z.number().int(),
  started: z.string(),
  isReady: z.boolean(),
  nodes: z.array(Node),
  processes: z.array(Process),
});
export type RunningDemo = z.infer<typeof RunningDemo>;
export type RunningProcess = z.infer<typeof Process>;

const fileOf = (dataDir: string): string => join(dataDir, 'up.json');

/** What the folder's last demo wrote, if it did not stop in order. `isRunning` says whether it still counts. */
export function readRunningDemo(dataDir: string): RunningDemo | undefined {
  try {
    return RunningDemo.parse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Those processes of the folder's last demo that still run. */
export function leftoversIn(dataDir: string): readonly RunningProcess[] {
  return (readRunningDemo(dataDir)?.processes ?? []).filter(isRunning);
}

/** Keeps `up.json` up to date. A full disk must not end a demo, so what cannot be written is left out. */
export class RunningFile {
  readonly #dataDir: string;
  readonly #processes = new Map<string, RunningProcess>();
  #nodes: RunningDemo['nodes'] = [];
  #isReady = false;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#write();
  }

  started(name: string, pid: number): void {
    this.#processes.set(name, { name, pid, started: startOf(pid) ?? '' });
    this.#write();
  }

  ready(nodes: RunningDemo['nodes']): void {
    this.#nodes = nodes;
    this.#isReady = true;
    this.#write();
  }

  remove(): void {
    rmSync(fileOf(this.#dataDir), { force: true });
  }

  #write(): void {
    const state: RunningDemo = {
      ...ownIdentity(),
      isReady: this.#isReady,
      nodes: this.#nodes,
      processes: [...this.#processes.values()],
    };
    const file = fileOf(this.#dataDir);
    try {
      writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      rmSync(`${file}.new`, { force: true });
    }
  }
}
