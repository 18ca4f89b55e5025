import { describe, expect, test } from 'vitest';
import { checkImports } from './import-table.ts';
import { cyclesOf, specifiersOf } from './imports.ts';
import { isTypeScript, readTree } from './tree.ts';

const sources = readTree().filter(isTypeScript);

test('no file imports what the import table does not allow', () => {
  expect(checkImports(sources)).toEqual([]);
});

test('no files import each other in a circle', () => {
  expect(cyclesOf(sources).map((cycle) => cycle.join(' -> '))).toEqual([]);
});

describe('the rule can fail', () => {
  const refused: readonly (readonly [name: string, path: string, specifier: string])[] = [
    ['config sees no partition', 'config/config.ts', '../cluster/partition/rendezvous.ts'],
    ['cluster sees no actor', 'cluster/partition/rendezvous.ts', '../../actors/media/flv.ts'],
    ['cluster sees no config', 'cluster/observe/logger.ts', '../../config/config.ts'],
    ['a pure file sees no shell', 'cluster/ownership/advance.ts', './ownership-store.nats.ts'],
    ['a pure file sees no library', 'cluster/ownership/advance.ts', '@nats-io/kv'],
    ['a pure file sees no file system', 'actors/media/flv/flv.ts', 'node:fs'],
    ['a pure file sees no promises of the file system', 'actors/media/flv/flv.ts', 'node:fs/promises'],
    ['a pure file sees no clock of Node', 'cluster/time/clock.ts', 'node:timers/promises'],
    [
      'media sees no membership',
      'actors/media/hls/playlist.ts',
      '../../../cluster/membership/member-directory.ts',
    ],
    ['an actor sees no other actor', 'actors/ingest/session.ts', '../control/stream-key.ts'],
    ['a service sees no adapter', 'actors/ingest/ingest.service.ts', './ingest.rtmp.ts'],
    ['a service sees no library but Moleculer', 'actors/ingest/ingest.service.ts', 'uWebSockets.js'],
    ['a technology file sees one library', 'actors/ingest/ingest.rtmp.ts', 'fluent-ffmpeg'],
    ['a technology must be known', 'actors/ingest/ingest.magic.ts', 'magic'],
    [
      'a shell sees no shell of another technology',
      'actors/ingest/ingest.rtmp.ts',
      '../../cluster/x/y.nats.ts',
    ],
    [
      'an actor composes no other actor',
      'actors/ingest/ingest.composition.ts',
      '../control/control.composition.ts',
    ],
    ['a composition file sees no library', 'actors/ingest/ingest.composition.ts', '@nats-io/kv'],
    [
      "the cluster's composition file sees no actor",
      'cluster/node/cluster-parts.composition.ts',
      '../../actors/segment-store/open-store.ts',
    ],
    ['another file of an actor sees no configuration', 'actors/ingest/x.rtmp.ts', '../../config/config.ts'],
    ['nobody imports the composition root', 'actors/ingest/session.ts', '../../moleculer.config.ts'],
    ['nobody imports a test', 'cluster/time/clock.ts', '../../test/support/simulated-clock.ts'],
  ];

  test.each(refused)('%s', (_name, path, specifier) => {
    expect(checkImports([{ path, text: `import { x } from '${specifier}';` }])).toHaveLength(1);
  });

  const allowed: readonly (readonly [name: string, path: string, specifier: string])[] = [
    ['a service imports its core', 'actors/ingest/ingest.service.ts', './session.ts'],
    ['a technology file imports its port', 'actors/ingest/ingest.rtmp.ts', './ingest-port.ts'],
    ['an actor imports media', 'actors/ingest/session.ts', '../media/flv/flv.ts'],
    [
      'an actor imports the port of the store',
      'actors/ingest/session.ts',
      '../segment-store/segment-store.ts',
    ],
    [
      'a NATS shell shares the connection',
      'actors/stream/log.nats.ts',
      '../../cluster/nats/connection.nats.ts',
    ],
    [
      'a composition file imports shells of the cluster',
      'actors/ingest/ingest.composition.ts',
      '../../cluster/rpc/node-calls.moleculer.ts',
    ],
    [
      'a composition file imports the configuration',
      'actors/ingest/ingest.composition.ts',
      '../../config/config.ts',
    ],
    ['a test sees everything', 'test/unit/x.test.ts', '../../actors/ingest/ingest.rtmp.ts'],
  ];

  test.each(allowed)('but %s', (_name, path, specifier) => {
    expect(checkImports([{ path, text: `import { x } from '${specifier}';` }])).toEqual([]);
  });

  test('a cycle is found, also one of types, and named', () => {
    const a = { path: 'cluster/a.ts', text: "import { b } from './b.ts';" };
    const b = { path: 'cluster/b.ts', text: "import type { C } from './c.ts';" };
    const c = { path: 'cluster/c.ts', text: "import { a } from './a.ts';" };
    expect(cyclesOf([a, b, c])).toEqual([['cluster/a.ts', 'cluster/b.ts', 'cluster/c.ts', 'cluster/a.ts']]);
    expect(cyclesOf([a, b])).toEqual([]);
  });

  test('every form of import is read', () => {
    const text = [
      "import a from 'a';",
      "import type { B,\n  C } from 'b';",
      "import 'c';",
      "export { d } from 'd';",
      "export * from 'e';",
      "const f = await import('f');",
      "// import g from 'g';",
    ].join('\n');
    expect(specifiersOf({ path: 'x.ts', text })).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
