/** The simulated owner's records: what it writes fits, whoever goes on; what does not is named. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  maxPending,
  misfitOf,
  nextBody,
  nothingWritten,
  withBody,
  type Body,
  type Written,
} from '../../../../scripts/simulation/written.ts';

const after = (
  connections: readonly number[],
): { readonly written: Written; readonly bodies: readonly Body[] } => {
  const bodies: Body[] = [];
  let written = nothingWritten;
  for (const connection of connections) {
    const body = nextBody(written, connection);
    expect(misfitOf(written, body)).toBeUndefined();
    bodies.push(body);
    written = withBody(written, body);
  }
  return { written, bodies };
};

test('whenever the publisher connects anew, every record fits and no source is decided twice or forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 60 }), (connections) => {
      const { written, bodies } = after(connections);
      const starts = bodies.flatMap((body) => (body.kind === 'source' ? [body.start] : []));
      const decided = bodies.flatMap((body) => (body.kind === 'commit' ? [body.start] : []));
      expect([...decided, ...written.pending]).toEqual(starts);
      expect(written.pending.length).toBeLessThanOrEqual(maxPending);
    }),
  );
});

const waiting: Written = { nextNumber: 4, nextStart: 6, pending: [4, 5], connection: 1 };

test.each<readonly [why: string, body: Body, said: RegExp]>([
  ['a number is left out', { kind: 'commit', number: 5, start: 4 }, /number 5 where 4 comes next/],
  ['a number comes again', { kind: 'commit', number: 3, start: 4 }, /number 3 where 4 comes next/],
  ['a source is decided twice', { kind: 'commit', number: 4, start: 3 }, /source 3, which does not wait/],
  ['decisions are out of order', { kind: 'commit', number: 4, start: 5 }, /source 5 before 4/],
  ['a source is lost', { kind: 'source', start: 7 }, /source 7 where 6 comes next/],
  ['what waits is forgotten', { kind: 'source', start: 6 }, /forgets its source 4/],
])('it is told when %s', (_why, body, said) => {
  expect(misfitOf(waiting, body)).toMatch(said);
});
