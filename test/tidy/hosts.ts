/**
 * Nothing in the checkout depends on the machine it was written on: no folder of a person or a workplace, no host of
 * a registry or mirror. Hosts are checked against those the product and its documents may name, since a list of all
 * others cannot be complete.
 */
import type { Finding, SourceFile } from './tree.ts';

/** Hosts that may be named: namespaces, specifications, licences, and examples. None is ever contacted. */
const namedHosts = [
  'tangaza.dev', // the `type` of our problem documents
  'www.w3.org',
  'www.apache.org',
  'dashif.org',
  'www.rfc-editor.org',
  'datatracker.ietf.org',
  'json-schema.org',
  'spec.openapis.org',
  'developer.apple.com',
  'keepachangelog.com',
  'semver.org',
  'github.com',
  'localhost',
];
const exampleHost = /(?:^|\.)(?:example|test|invalid|localhost)$|(?:^|\.)example\.(?:com|org|net)$/;
const loopback = /^127\.\d+\.\d+\.\d+$|^0\.0\.0\.0$|^\[::1?\]$/;
/** Addresses for documents (RFC 5737, RFC 3849). */
const documented = /^192\.0\.2\.\d+$|^198\.51\.100\.\d+$|^203\.0\.113\.\d+$|^\[2001:db8:[0-9a-f:]*\]$/;
/** Upper-case words and single words (`http://HOST:PORT`, `http://edge`) stand for a host. */
const placeholder = /^[A-Za-z][A-Za-z0-9_-]*$/;

const url = /\b(?:https?|wss?|rtmps?|nats|git|ssh):\/\/(?:[^/\s'"`@]*@)?(\[[0-9a-f:]*\]|[A-Za-z0-9._-]+)/g;
const machinePath = new RegExp(
  [
    ['', 'work', ''],
    ['', 'home', '\\w'],
    ['', 'Users', '\\w'],
    ['', 'root', '[\\w.]'],
  ]
    .map((parts) => `(?<![\\w.$})*-])${parts.join('/')}`)
    .join('|'),
);

/** `package-lock.json` has a rule of its own: its addresses of sponsors are npm's. */
const isChecked = ({ path }: SourceFile): boolean => path !== 'package-lock.json' && path !== 'LICENSE';

export function checkHosts(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isChecked).flatMap(({ path, text }) => {
    const hosts = [...text.matchAll(url)].map((match) => match[1] ?? '');
    return [...new Set(hosts)]
      .filter((host) => !mayBeNamed(host))
      .map((host) => `${path}: names the host ${host}`);
  });
}

function mayBeNamed(host: string): boolean {
  const isKnown = namedHosts.includes(host) || exampleHost.test(host);
  return isKnown || documented.test(host) || loopback.test(host) || placeholder.test(host);
}

export function checkMachinePaths(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isChecked).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = machinePath.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1}: a path of one machine (${found}…)`];
    }),
  );
}

/** The lock names versions and checksums, never where a package was fetched from. */
export function checkLock(lock: string): readonly Finding[] {
  return /"resolved":\s*"(?:https?|git)/.test(lock)
    ? ['package-lock.json: names the host of a registry']
    : [];
}
