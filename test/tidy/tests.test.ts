import { expect, test } from 'vitest';
import { readTree } from './tree.ts';
import { checkTuples, checkWaits } from './tests.ts';

test('no test waits in a loop without a bound', () => expect(checkWaits(readTree())).toEqual([]));

test('no test compares a bare tuple', () => expect(checkTuples(readTree())).toEqual([]));

const path = 'test/component/a.test.ts';

test.each([
  { path, text: 'while (!(await isThere())) await clock.sleep(50);', findings: 1 },
  { path, text: 'while (errors().length === 0) await clock.sleep(20);', findings: 1 },
  {
    path,
    text: 'for (;;) {\n  const found = find();\n  if (found) return found;\n  await sleep(5);\n}',
    findings: 1,
  },
  { path, text: 'for (const all = 5; tags.length < all;) await once(events, "tag");', findings: 1 },
  { path, text: 'while (last !== 2) {\n  await ack();\n}', findings: 1 },
  { path, text: 'while (!signal.aborted) await next();', findings: 0 },
  { path, text: 'while (performance.now() - beganMs < 4500) {\n  await ask();\n}', findings: 0 },
  { path, text: 'while (queue.length > 0) take();\nawait end();', findings: 0 },
  { path, text: 'for (let tries = 0; tries < 5; tries += 1) await ask();', findings: 0 },
  {
    path,
    text: 'for (const one of all) await ask(one);\nfor await (const line of lines) read(line);',
    findings: 0,
  },
  { path: 'test/support/wait.ts', text: 'while (!isTrue()) await nextEvent();', findings: 0 },
  { path: 'actors/a.ts', text: 'while (isOpen) await next();', findings: 0 },
])('$path with "$text" has $findings findings', ({ findings, ...file }) =>
  expect(checkWaits([file])).toHaveLength(findings),
);

test.each([
  { path, text: 'expect([a, b]).toEqual([1, 2]);', findings: 1 },
  { path, text: 'expect([reply.status, of(a, b)]).toMatchObject([\n  200,\n  "b",\n]);', findings: 1 },
  { path, text: 'expect({ a, b }).toEqual({ a: 1, b: 2 });', findings: 0 },
  { path, text: 'expect([of(a, b)]).toEqual([1]);', findings: 0 },
  { path, text: 'expect([...seen, last]).toEqual([1, 2]);', findings: 0 },
  { path, text: 'expect([a, b].map(sizeOf)).toEqual([1, 2]);', findings: 0 },
])('"$text" compares $findings tuples', ({ findings, ...file }) =>
  expect(checkTuples([file])).toHaveLength(findings),
);
