/** A log file of bounded size. When it is full it becomes `FILE.1`, and a new one begins. */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const mostBytes = 8_388_608;

export interface BoundedLog {
  write(bytes: Uint8Array): void;
  close(): void;
}

export function openBoundedLog(file: string): BoundedLog {
  mkdirSync(dirname(file), { recursive: true });
  let descriptor = openSync(file, 'w');
  let written = 0;
  let isOpen = true;
  return {
    write: (bytes) => {
      if (!isOpen) return;
      if (written + bytes.length > mostBytes) {
        closeSync(descriptor);
        renameSync(file, `${file}.1`);
        descriptor = openSync(file, 'w');
        written = 0;
      }
      written += writeSync(descriptor, bytes);
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}
