/**
 * Who may wait in a loop in a test: nobody but the waits of `test/support/wait.ts`, which have a bound and say for what they
 * waited. A loop that a signal or a time ends is bounded by itself.
 */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

const waits = 'test/support/wait.ts';
/** The second holds examples. */
const mayLoop = new Set([waits, 'test/tidy/waits.test.ts']);
const loopHead = /(?<![\w.])(?:while|for) \(/g;
const bounded = /\.aborted\b|\bperformance\.now\(\)/;

/** A `while`, or a `for` that counts nothing, with an `await` in its condition or its body. */
export function checkWaits(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter((file) => isTypeScript(file) && file.path.startsWith('test/') && !mayLoop.has(file.path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(loopHead)]
        .filter(({ 0: head, index }) => isUnboundedWait(text, index + head.length - 1))
        .map(({ index }) => `${path}:${lineAt(text, index)}: waits in a loop without a bound: use ${waits}`),
    );
}

function isUnboundedWait(text: string, open: number): boolean {
  const head = text.slice(open, endOf(text, open));
  const parts = head.slice(1, -1).split(';');
  const isFor = text.slice(0, open).endsWith('for ');
  if (isFor && (parts.length < 3 || parts[2]?.trim() !== '')) return false; // it goes over something, or counts
  const isAwaiting = /\bawait\b/.test(head + bodyBehind(text, open + head.length));
  return isAwaiting && !bounded.test(head);
}

/** The block, or the one statement, of a loop. */
function bodyBehind(text: string, from: number): string {
  const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
  const end = text[start] === '{' ? endOf(text, start) : text.indexOf(';', start);
  return text.slice(start, end);
}

/** Behind the bracket that closes the one at `open`; what stands in strings counts as well, which no loop here minds. */
function endOf(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if ('({'.includes(text[at] ?? '')) depth += 1;
    if (')}'.includes(text[at] ?? '')) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
