import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../config/config.ts';

test('an empty environment gives a node with every role', () => {
  const config = loadConfig({}, 4);
  expect([...config.roles]).toEqual(['ingest', 'transcode-worker', 'edge-delivery', 'control']);
  expect(config.worker.slots).toBeGreaterThan(0);
});

test('every fault is told at once, each naming its variable', () => {
  const env = {
    TANGAZA_HTTP_PORT: '99999',
    TANGAZA_STORE: 'tape',
    TANGAZA_LOG_LEVEL: 'loud',
    TANGAZA_TYPO: '1',
  };
  const faults = faultsOf(env);
  for (const name of Object.keys(env))
    expect(faults.filter((fault) => fault.startsWith(`${name}:`))).toHaveLength(1);
});

test('a role that does not exist is refused with the ones that do', () => {
  expect(faultsOf({ TANGAZA_ROLES: 'ingest,juggler' })).toEqual([expect.stringContaining('juggler')]);
});

test('an empty value is the default', () => {
  expect(loadConfig({ TANGAZA_HTTP_PORT: '' }, 4).http.port).toBe(8080);
});

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env, 4);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}
