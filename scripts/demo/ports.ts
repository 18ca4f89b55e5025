/** Decides which ports a demo needs, and says what is wrong with them. */

export interface WantedPort {
  readonly port: number;
  /** What the port is for: `HTTP of region-1-node-1`. */
  readonly what: string;
  /** The node that wants it. */
  readonly node: string;
  /** The flag that changes it. */
  readonly flag: '--port-base' | '--rtmp-base';
}

export interface PortBases {
  readonly regions: number;
  readonly nodes: number;
  readonly portBase: number;
  readonly rtmpBase: number;
}

/** The name of a node, and its place in the demo, counted through all regions. */
export interface PlacedNode {
  readonly ordinal: number;
  readonly region: string;
  readonly node: string;
}

const highestPort = 65_535;

/** The names of a demo's regions, in order. */
export const regionsOf = ({ regions }: Pick<PortBases, 'regions'>): readonly [string, ...string[]] => [
  'region-1',
  ...Array.from({ length: regions - 1 }, (_, index) => `region-${index + 2}`),
];

/** The operator port of the node with that HTTP port. */
export const operatorPortOf = (httpPort: number): number => httpPort + 100;

export function placedNodes({ regions, nodes }: Pick<PortBases, 'regions' | 'nodes'>): readonly PlacedNode[] {
  return Array.from({ length: regions * nodes }, (_, ordinal) => {
    const region = `region-${Math.floor(ordinal / nodes) + 1}`;
    return { ordinal, region, node: `${region}-node-${(ordinal % nodes) + 1}` };
  });
}

/** In the order of the nodes, with the operator ports last. A base of 0 needs none, as free ports are taken. */
export function wantedPorts(bases: PortBases): readonly WantedPort[] {
  const placed = placedNodes(bases);
  const http = { base: bases.portBase, flag: '--port-base' } as const;
  const rtmp = { base: bases.rtmpBase, flag: '--rtmp-base' } as const;
  const wanted = placed.flatMap(({ ordinal, node }) => [
    { ...http, port: http.base + ordinal, node, what: `HTTP of ${node}` },
    { ...rtmp, port: rtmp.base + ordinal, node, what: `RTMP of ${node}` },
  ]);
  const operator = placed.map(({ ordinal, node }) => ({
    ...http,
    port: operatorPortOf(http.base + ordinal),
    node,
    what: `metrics of ${node}`,
  }));
  return [...wanted, ...operator].flatMap(({ base, ...one }) => (base === 0 ? [] : [one]));
}

/** Faults that do not depend on what runs on this machine: an impossible port, or one port used twice. */
export function portFaults(wanted: readonly WantedPort[]): readonly string[] {
  return wanted.flatMap(({ port, what, flag }, index) => {
    if (port > highestPort)
      return [`port ${port} (${what}) is above ${highestPort}: choose a lower base with ${flag}`];
    const first = wanted.findIndex((other) => other.port === port);
    const other = wanted[first];
    return first === index || other === undefined
      ? []
      : [`port ${port} is wanted for ${other.what} and for ${what}: choose another base with ${flag}`];
  });
}

/** The process that uses a port, found in the kernel's table. A process of another user may be hidden. */
export interface PortUser {
  readonly pid: number;
  readonly command: string;
}

export function describeTaken({ port, what, flag }: WantedPort, why: string, user?: PortUser): string {
  if (why === 'EACCES')
    return `port ${port} (${what}) may not be used by this user: choose another base with ${flag}`;
  if (why !== 'EADDRINUSE')
    return `port ${port} (${what}) cannot be used (${why}): choose another base with ${flag}`;
  const who = user === undefined ? 'another program' : userNamed(user);
  return `port ${port} (${what}) is in use by ${who}: stop it, or choose another base with ${flag}`;
}

/** A port that cannot be had, and why. */
export interface Taken {
  readonly wanted: WantedPort;
  readonly why: string;
  readonly user: PortUser | undefined;
}

/** One line for each. Where all ports of a node are in use a demo seems to run already, and one line says so. */
export function describeAllTaken(wanted: readonly WantedPort[], taken: readonly Taken[]): readonly string[] {
  const inUse = taken.filter(({ why }) => why === 'EADDRINUSE');
  const [first] = inUse;
  if (first === undefined || !hasWholeNode(wanted, inUse)) return taken.map(lineOf);
  const who = first.user === undefined ? '' : ` (${first.wanted.port} by ${userNamed(first.user)})`;
  return [
    `a demo seems to run already: ${inUse.length} of ${wanted.length} ports are in use${who}; stop it, or choose other bases with --port-base and --rtmp-base`,
    ...taken.filter((one) => !inUse.includes(one)).map(lineOf),
  ];
}

const lineOf = ({ wanted, why, user }: Taken): string => describeTaken(wanted, why, user);

/** Whether some node finds each of its ports in use, of which it has several. */
function hasWholeNode(wanted: readonly WantedPort[], inUse: readonly Taken[]): boolean {
  const isTaken = (port: WantedPort): boolean => inUse.some((one) => one.wanted.port === port.port);
  return [...Map.groupBy(wanted, ({ node }) => node).values()].some(
    (ports) => ports.length > 1 && ports.every(isTaken),
  );
}

const userNamed = ({ pid, command }: PortUser): string => `process ${pid} (${command})`;

/** Reads `sl local_address … inode` of `/proc/net/tcp`. @returns the inodes of sockets with the local port, listeners first */
export function inodesOfPort(table: string, port: number): readonly string[] {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16) === port);
  const isListener = (row: readonly string[]): boolean => row[3] === '0A';
  return [...rows.filter(isListener), ...rows.filter((row) => !isListener(row))]
    .map((row) => row[9] ?? '0')
    .filter((inode) => inode !== '0');
}

/** The first port that the kernel gives to connections. Those below it stay free for servers. */
export function firstEphemeral(range: string): number | undefined {
  const [low] = range.trim().split(/\s+/).map(Number);
  return low !== undefined && low > 0 ? low : undefined;
}
