/**
 * How tests wait and compare. Nobody waits in a loop but the waits of `test/support/wait.ts`, which have a bound and say for what
 * they waited; a loop that a signal or a time ends is bounded by itself. And what is compared has a name: `{ gaps: 0 }`, not `[0]`.
 */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

const waits = 'test/support/wait.ts';
/** The first may loop; the second holds examples of what is forbidden. */
const exempt = new Set([waits, 'test/tidy/tests.test.ts']);
const loopHead = /(?<![\w.])(?:while|for) \(/g;
const comparedTuple = /\bexpect\(\[/g;
const withTuple = /^,?\s*\)\.(?:toEqual|toStrictEqual|toMatchObject)\(\s*\[/;
const bounded = /\.aborted\b|\bperformance\.now\(\)/;

/** A `while`, or a `for` that counts nothing, with an `await` in its condition or its body. */
export function checkWaits(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter((file) => isTypeScript(file) && file.path.startsWith('test/') && !exempt.has(file.path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(loopHead)]
        .filter(({ 0: head, index }) => isUnboundedWait(text, index + head.length - 1))
        .map(({ index }) => `${path}:${lineAt(text, index)}: waits in a loop without a bound: use ${waits}`),
    );
}

/** Two lists that are written out, held against each other: who reads a failure does not see what the values are. */
export function checkTuples(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter((file) => isTypeScript(file) && file.path.startsWith('test/') && !exempt.has(file.path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(comparedTuple)]
        .filter(({ 0: head, index }) => isTuple(text, index + head.length - 1))
        .map(({ index }) => `${path}:${lineAt(text, index)}: compares a tuple: name what it compares`),
    );
}

/** More than one value, none of them a list of its own that is spread, against as many. */
function isTuple(text: string, open: number): boolean {
  const close = endOf(text, open);
  const values = text.slice(open + 1, close - 1);
  return withTuple.test(text.slice(close)) && hasComma(values) && !values.includes('...');
}

/** Between two values, not within one of them. */
function hasComma(values: string): boolean {
  for (let at = 0; at < values.length; at += 1) {
    if ('([{'.includes(values[at] ?? '')) at = endOf(values, at) - 1;
    else if (values[at] === ',' && values.slice(at + 1).trim() !== '') return true;
  }
  return false;
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

/** Behind the bracket that closes the one at `open`; what stands in strings counts as well, which no test here minds. */
function endOf(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if ('([{'.includes(text[at] ?? '')) depth += 1;
    if (')]}'.includes(text[at] ?? '')) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
