import { describe, expect, test } from 'vitest';
import {
  describeAllTaken,
  describeTaken,
  firstEphemeral,
  inodesOfPort,
  placedNodes,
  portFaults,
  regionsOf,
  wantedPorts,
} from '../../../../scripts/demo/ports.ts';

const bases = { regions: 1, nodes: 2, portBase: 8080, rtmpBase: 1935 };

test('nodes are counted through all regions', () => {
  expect(placedNodes({ regions: 2, nodes: 2 }).map(({ ordinal, node }) => `${ordinal} ${node}`)).toEqual([
    '0 region-1-node-1',
    '1 region-1-node-2',
    '2 region-2-node-1',
    '3 region-2-node-2',
  ]);
});

test('regions are counted from one, and there is always one', () => {
  expect(regionsOf({ regions: 3 })).toEqual(['region-1', 'region-2', 'region-3']);
  expect(regionsOf({ regions: 1 })).toEqual(['region-1']);
});

test('each port is wanted by name, with the flag that moves it', () => {
  expect(wantedPorts(bases).map(({ port, what, flag }) => `${port} ${what} ${flag}`)).toEqual([
    '8080 HTTP of region-1-node-1 --port-base',
    '1935 RTMP of region-1-node-1 --rtmp-base',
    '8081 HTTP of region-1-node-2 --port-base',
    '1936 RTMP of region-1-node-2 --rtmp-base',
    '8180 metrics of region-1-node-1 --port-base',
    '8181 metrics of region-1-node-2 --port-base',
  ]);
  expect(wantedPorts({ ...bases, portBase: 0, rtmpBase: 0 })).toEqual([]);
});

describe('what is wrong whatever runs here', () => {
  test('nothing with the usual bases', () => {
    expect(portFaults(wantedPorts(bases))).toEqual([]);
  });

  test('two servers that want one port', () => {
    const [fault, ...more] = portFaults(wantedPorts({ ...bases, portBase: 1936 }));
    expect(fault).toContain(
      'port 1936 is wanted for HTTP of region-1-node-1 and for RTMP of region-1-node-2',
    );
    expect(more).toEqual([]);
  });

  test('a port above the last one', () => {
    const [fault] = portFaults(wantedPorts({ ...bases, portBase: 65_535 }));
    expect(fault).toBe(
      'port 65536 (HTTP of region-1-node-2) is above 65535: choose a lower base with --port-base',
    );
  });
});

test('a taken port is told with who has it, where that is known, and what to do', () => {
  const port = {
    port: 8080,
    what: 'HTTP of region-1-node-1',
    node: 'region-1-node-1',
    flag: '--port-base',
  } as const;
  expect(describeTaken(port, 'EADDRINUSE', { pid: 7, command: 'nginx' })).toBe(
    'port 8080 (HTTP of region-1-node-1) is in use by process 7 (nginx): stop it, or choose another base with --port-base',
  );
  expect(describeTaken(port, 'EADDRINUSE')).toContain('is in use by another program');
  expect(describeTaken(port, 'EACCES')).toContain('may not be used by this user');
});

describe('several taken ports', () => {
  const wanted = wantedPorts(bases);
  const linesOf = (ports: readonly number[], why = 'EADDRINUSE') =>
    describeAllTaken(
      wanted,
      wanted
        .filter(({ port }) => ports.includes(port))
        .map((one) => ({ wanted: one, why, user: { pid: 7, command: 'node' } })),
    );

  test('are one line where a node finds all of its ports in use: a demo seems to run', () => {
    expect(linesOf([8080, 1935, 8180, 8181])).toEqual([
      'a demo seems to run already: 4 of 6 ports are in use (8080 by process 7 (node)); stop it, or choose other bases with --port-base and --rtmp-base',
    ]);
  });

  test('are a line each where other programs have some of them, or none may be used', () => {
    expect({
      some: linesOf([8080, 8081]).length,
      forbidden: linesOf([8080, 1935, 8180], 'EACCES').length,
    }).toEqual({ some: 2, forbidden: 3 });
  });
});

// Rows as the kernel of Linux 6 writes them: 8080 is 1F90; a listener has state 0A.
const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 20 4 30 10 -1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0 20 4 30 10 -1
   3: 0100007F:1F90 0100007F:9C42 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
`;

test('the sockets of a port, listeners first; not those that only talk to it, nor those that nobody has any more', () => {
  expect(inodesOfPort(table, 8080)).toEqual(['222', '111']);
  expect(inodesOfPort('', 8080)).toEqual([]);
});

test('where the ports begin that the kernel gives to connections', () => {
  expect(firstEphemeral('32768\t60999\n')).toBe(32_768);
  expect(firstEphemeral('')).toBeUndefined();
});
