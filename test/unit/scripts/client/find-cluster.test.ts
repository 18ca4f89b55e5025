import { describe, expect, test } from 'vitest';
import { chooseTarget, usualUrl, type FolderDemo } from '../../../../scripts/client/find-cluster.ts';

const urls = ['http://127.0.0.1:22100', 'http://127.0.0.1:22101'];
const running: FolderDemo = { folder: '/d', state: { kind: 'running', urls }, token: 'of the demo' };
const starting: FolderDemo = { ...running, state: { kind: 'starting', pid: 7 } };
const none: FolderDemo = { folder: '/d', state: { kind: 'none', wasKilled: false }, token: undefined };
const killed: FolderDemo = { ...none, state: { kind: 'none', wasKilled: true }, token: 'of the demo' };

describe('a demo runs in the folder', () => {
  test('its nodes are asked, with its own token, whatever the environment has for other clusters', () => {
    expect(chooseTarget({}, running)).toEqual({ urls, token: 'of the demo' });
    expect(chooseTarget({ envToken: 'of another' }, running)).toEqual({ urls, token: 'of the demo' });
    expect(chooseTarget({ token: 'given' }, running)).toEqual({ urls, token: 'given' });
  });

  test('a URL that is given wins, with the token that is given, then that of the environment', () => {
    const url = 'http://other:1';
    expect(chooseTarget({ url, token: 'given', envToken: 'env' }, running)).toEqual({
      urls: [url],
      token: 'given',
    });
    expect(chooseTarget({ url, envToken: 'env' }, running)).toEqual({ urls: [url], token: 'env' });
  });
});

// As it once was: "no node answers at localhost:8080: is the cluster up?"
test.each(['localhost:8080', '127.0.0.1:8080', 'no url', 'ftp://localhost', ''])(
  '%j is no URL of a node, which is said before anybody is asked',
  (url) => {
    expect(() => chooseTarget({ url, token: 'given' }, running)).toThrow(
      `--url takes http://HOST:PORT or https://HOST; "${url}" was given`,
    );
  },
);

describe("the demo's own token", () => {
  const own = 'http://127.0.0.1:22101/';

  test.each([own, 'http://localhost:22101', 'HTTP://127.0.0.1:22101'])('goes to its node at %s', (url) => {
    expect(chooseTarget({ url }, running)).toEqual({ urls: [url], token: 'of the demo' });
  });

  test('gives way to what is given and to the environment where a URL names its node', () => {
    expect(chooseTarget({ url: own, envToken: 'env' }, running).token).toBe('env');
    expect(chooseTarget({ url: own, token: 'given' }, running).token).toBe('given');
  });

  // As it once was: `--url` of any host got it.
  test.each([
    'http://live.example.org:22101',
    'https://127.0.0.1:22101',
    'http://127.0.0.1:22102',
    'http://127.0.0.1.example.org:22101',
    'http://127.0.0.1:22101@example.org',
    'http://192.0.2.1:22101',
  ])('does not go to %s', (url) => {
    expect(() => chooseTarget({ url }, running)).toThrow(
      `no token for ${url}: give that cluster's operator token with --token or in TANGAZA_OPERATOR_TOKEN.`,
    );
  });

  test.each([starting, killed])('goes nowhere by a URL while no demo is ready', (demo) => {
    expect(() => chooseTarget({ url: own }, demo)).toThrow(/no token for .* leave --url out/);
  });

  test('is missed by who may not read it', () => {
    expect(() => chooseTarget({ envToken: 'of another' }, { ...running, token: undefined })).toThrow(
      /^no token for the demo of \/d: .*secrets\.json cannot be read\. Run the command as the user/,
    );
  });
});

test('one that starts is waited for by nobody, and named', () => {
  expect(() => chooseTarget({ envToken: 'env' }, starting)).toThrow(
    'the demo of /d is not ready yet (process 7): try again in a moment',
  );
});

describe('no demo runs there', () => {
  test('who brings a token and names no folder means the usual address', () => {
    expect(chooseTarget({ envToken: 'env' }, none)).toEqual({ urls: [usualUrl], token: 'env' });
    expect(chooseTarget({ token: 'given' }, killed)).toEqual({ urls: [usualUrl], token: 'given' });
  });

  test('who names the folder, or brings no token, is told what to do', () => {
    expect(() => chooseTarget({ data: '/d', envToken: 'env' }, none)).toThrow(
      /^no demo runs in \/d: start one with 'npm start', name .* --data DIR, or .* --url URL and --token TOKEN$/,
    );
    expect(() => chooseTarget({}, none)).toThrow('no demo runs in /d: start one');
    expect(() => chooseTarget({}, killed)).toThrow('no demo runs in /d (the last one was killed): start one');
  });

  test('a URL without any token', () => {
    expect(() => chooseTarget({ url: 'http://other:1' }, none)).toThrow(
      "no token for http://other:1: give that cluster's operator token with --token",
    );
  });
});
