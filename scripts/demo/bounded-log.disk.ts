/**
 * A log file of bounded size. When it is full it becomes `FILE.1`, and a new one begins.
 *
 * Who writes here keeps a whole demo alive, so a full disk must not end it: what cannot be written is left out, and how much that was is said
 * where the log goes on.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const mostBytes = 8_388_608;

export interface BoundedLog {
  /** Never throws. */
  write(bytes: Uint8Array): void;
  close(): void;
}

/** @throws Error when the file cannot be made */
export function openBoundedLog(file: string): BoundedLog {
  mkdirSync(dirname(file), { recursive: true });
  return new LogFile(file);
}

class LogFile implements BoundedLog {
  readonly #file: string;
  /** Undefined after a failure, and between two files. */
  #descriptor: number | undefined;
  #written = 0;
  #leftOut = 0;
  #isOpen = true;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, 'w');
  }

  write(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    const gap = this.#leftOut === 0 ? '' : `supervisor: ${this.#leftOut} bytes could not be written here\n`;
    const all = gap === '' ? bytes : Buffer.concat([Buffer.from(gap), bytes]);
    try {
      this.#leftOut = all.length - this.#append(all);
    } catch {
      this.#leftOut += bytes.length;
      this.#release();
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#release();
  }

  /** @returns how many bytes the disk took */
  #append(bytes: Uint8Array): number {
    if (this.#written + bytes.length > mostBytes) this.#beginAnew();
    this.#descriptor ??= openSync(this.#file, 'a');
    const taken = writeSync(this.#descriptor, bytes);
    this.#written += taken;
    return taken;
  }

  #beginAnew(): void {
    this.#release();
    if (this.#written > 0 && existsSync(this.#file)) renameSync(this.#file, `${this.#file}.1`);
    this.#written = 0;
  }

  #release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
