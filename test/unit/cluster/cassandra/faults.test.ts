import { errors, types } from 'cassandra-driver';
import { expect, test } from 'vitest';
import { faultOf, refusalOf, toldAs } from '../../../../cluster/cassandra/faults.cassandra.ts';

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

const withCode = (code: string): Error => Object.assign(new Error(`told ${code}`), { code });

test.each([
  [
    'a wrong password',
    nowhere(new errors.AuthenticationError('Provided username x and/or password are incorrect')),
    'TANGAZA_CASSANDRA_PASSWORD',
  ],
  [
    'no user at all',
    nowhere(new errors.AuthenticationError('Host requires authentication, but no authenticator found')),
    'TANGAZA_CASSANDRA_USER',
  ],
  ['an authority of its own', nowhere(withCode('SELF_SIGNED_CERT_IN_CHAIN')), 'TANGAZA_CASSANDRA_CA'],
  ['an unknown authority', nowhere(withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE')), 'TANGAZA_CASSANDRA_CA'],
  ['a certificate of another address', nowhere(withCode('ERR_TLS_CERT_ALTNAME_INVALID')), 'verify-ca'],
  ['an old certificate', nowhere(withCode('CERT_HAS_EXPIRED')), 'not valid now'],
  ['no TLS there', nowhere(withCode('EPROTO')), 'TANGAZA_CASSANDRA_TLS'],
  ['what a caller was told of it', toldAs(nowhere(withCode('EPROTO'))), 'TANGAZA_CASSANDRA_TLS'],
])('%s says which setting to look at', (_, error, words) => {
  expect(refusalOf(error)).toContain(words);
});

test.each([
  ['nobody answers', nowhere(withCode('ECONNREFUSED'))],
  [
    'a node that cannot look up its users yet',
    nowhere(new errors.AuthenticationError('Unable to perform authentication')),
  ],
  [
    'a wrong certificate of one host, while another one is down',
    nowhere(withCode('CERT_HAS_EXPIRED'), withCode('ECONNREFUSED')),
  ],
  ['no host to ask', nowhere()],
  ['too much to do', response(codes.overloaded)],
  ['what is no error', 'x'],
])('%s may pass', (_, error) => {
  expect(refusalOf(error)).toBeUndefined();
});
