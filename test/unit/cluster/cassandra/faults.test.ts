import { errors, types } from 'cassandra-driver';
import { expect, test } from 'vitest';
import { faultOf, toldAs } from '../../../../cluster/cassandra/faults.cassandra.ts';

const { responseErrorCodes: codes } = types;
const response = (code: number) => new errors.ResponseError(code, 'told');
const nowhere = (...inner: readonly Error[]) =>
  new errors.NoHostAvailableError(Object.fromEntries(inner.map((one, index) => [`127.0.0.${index}`, one])));

test.each([
  ['nobody answers', nowhere(), 'unreachable'],
  ['no answer in time', new errors.OperationTimedOutError('late'), 'unreachable'],
  ['too few replicas', response(codes.unavailableException), 'unreachable'],
  ['replicas that are late', response(codes.writeTimeout), 'unreachable'],
  ['a node that starts', response(codes.isBootstrapping), 'unreachable'],
  ['a node with too much to do', response(codes.overloaded), 'overloaded'],
  ['connections with too much to do', new errors.BusyConnectionError('127.0.0.1', 1, 1), 'overloaded'],
  ['only nodes with too much to do', nowhere(response(codes.overloaded)), 'overloaded'],
  [
    'one of them out of reach',
    nowhere(response(codes.overloaded), new errors.OperationTimedOutError('late')),
    'unreachable',
  ],
  ['CQL that is wrong', response(codes.syntaxError), 'ours'],
  ['a table that is not there', response(codes.invalid), 'ours'],
  ['a user without rights', response(codes.unauthorized), 'ours'],
  ['what is no error of the driver', new TypeError('x'), 'ours'],
])('%s is told apart', (_, error, fault) => {
  expect(faultOf(error)).toBe(fault);
});

test('callers hear a code of the catalogue, and what is our own fault stays as it is', () => {
  expect(toldAs(nowhere())).toMatchObject({ code: 'UNAVAILABLE' });
  expect(toldAs(response(codes.overloaded))).toMatchObject({ code: 'OVERLOADED' });
  const ours = response(codes.syntaxError);
  expect(toldAs(ours)).toBe(ours);
});
