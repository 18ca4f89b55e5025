import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkHosts, checkLock, checkMachinePaths } from './hosts.ts';
import { readTree, root } from './tree.ts';

const files = readTree();
const file = (text: string) => ({ path: 'cluster/a.ts', text });
const scheme = 'http';

test('no file names a host outside of the product', () => expect(checkHosts(files)).toEqual([]));
test('no file names a folder of one machine', () => expect(checkMachinePaths(files)).toEqual([]));
test('the lock names no registry', () => {
  expect(checkLock(readFileSync(join(root, 'package-lock.json'), 'utf8'))).toEqual([]);
});

describe('each rule can fail', () => {
  test('a registry, a mirror, a private address', () => {
    for (const host of ['registry.packages.io', 'mirror.local.lan', '10.1.2.3', '192.168.1.7']) {
      expect(checkHosts([file(`fetch('${scheme}://${host}/x')`)])).toHaveLength(1);
      expect(checkHosts([file(`fetch('${scheme}s://user:pass@${host}/x')`)])).toHaveLength(1);
    }
  });

  test('but not loopback, an example or a placeholder', () => {
    for (const host of [
      '127.0.0.1:8080',
      'localhost',
      '[::1]:80',
      'cdn.example.org',
      'HOST:1935',
      'edge.test',
    ]) {
      expect(checkHosts([file(`fetch('${scheme}://${host}/x')`)])).toEqual([]);
    }
  });

  test('a home folder, but not a path of our own', () => {
    expect(checkMachinePaths([file(`const x = '${['', 'home', 'ada', 'x'].join('/')}';`)])).toHaveLength(1);
    expect(checkMachinePaths([file(`cd ${['', 'work', 'main'].join('/')}`)])).toHaveLength(1);
    expect(checkMachinePaths([file('const x = `${dir}/work/segments`;')])).toEqual([]);
  });

  test('a lock with addresses', () => {
    expect(checkLock(`{ "resolved": "${scheme}s://registry/x.tgz" }`)).toHaveLength(1);
  });
});
