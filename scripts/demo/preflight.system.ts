/** Checks the machine before a demo is started on it, and reports all faults at once, before anything is started. */
import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import { inspect, type Check } from '../doctor.ts';
import { whyNotFree, userOfPort } from './free-port.system.ts';
import { describeAllTaken, portFaults, wantedPorts, type PortBases } from './ports.ts';
import { reviewSettings } from './settings.ts';

export interface PreflightOptions {
  readonly regions: number;
  readonly dataDir: string;
  readonly store: 'disk' | 's3';
  readonly comments?: 'sqlite' | 'cassandra';
  readonly hasPublisher: boolean;
}

export interface Findings {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** With less than the disk store's own reserve (`TANGAZA_DISK_RESERVE_BYTES`) nothing could be stored. */
const leastFreeBytes = 1_073_741_824;
const amplyFreeBytes = 2 * leastFreeBytes;
const mebibyte = 1_048_576;
/** A data centre of Cassandra, as measured: resident. */
const dataCentreBytes = 750 * mebibyte;

/**
 * Checks tools, settings and free space. The ports are checked once the folder is ours. It takes a second, and changes nothing except that
 * it makes the folder.
 */
export async function lookAtMachine(options: PreflightOptions): Promise<Findings> {
  const [checks, room] = await Promise.all([
    inspect(
      options.store === 's3' ? 's3' : 'start',
      ...(options.comments === 'cassandra' ? (['cassandra'] as const) : []),
    ),
    roomIn(options.dataDir),
  ]);
  const settings = reviewSettings(process.env, availableParallelism());
  return {
    faults: [
      ...checks.filter((check) => isFault(check, options)).map(describe),
      ...settings.faults,
      ...room.faults,
    ],
    warnings: [...settings.warnings, ...room.warnings, ...memoryWarnings(options)],
  };
}

/** The free space on the data folder's own disk is checked here. A font is needed only for the test picture. */
function isFault({ name, state }: Check, { hasPublisher }: PreflightOptions): boolean {
  return state !== 'ok' && name !== 'free disk' && (hasPublisher || name !== 'a font');
}

function describe({ name, state, found, wanted, why, remedy }: Check): string {
  return state === 'old'
    ? `${name} ${found} is older than ${wanted}; ${remedy}`
    : `${name} is missing, ${why}; ${remedy}`;
}

function memoryWarnings({ regions, comments }: PreflightOptions): readonly string[] {
  const wanted = comments === 'cassandra' ? regions * dataCentreBytes : 0;
  const free = freemem();
  if (free >= wanted) return [];
  const [has, needs] = [free, wanted].map((bytes) => Math.round(bytes / mebibyte));
  return [`${has} MB of memory are free, and Cassandra takes ${needs} MB with ${regions} region(s)`];
}

async function roomIn(dataDir: string): Promise<Findings> {
  try {
    mkdirSync(dataDir, { recursive: true });
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const words = `the disk of ${dataDir} has ${Math.floor(free / 1_048_576)} MB left`;
    if (free < leastFreeBytes)
      return {
        faults: [`${words}, and 1 GB is needed: make room, or use --data on another disk`],
        warnings: [],
      };
    return { faults: [], warnings: free < amplyFreeBytes ? [`${words}: it may be full soon`] : [] };
  } catch {
    return { faults: [], warnings: [] }; // taking the folder will say why it cannot be used
  }
}

/** Reports what is wrong with the ports that the demo needs. */
export async function lookAtPorts(bases: PortBases): Promise<readonly string[]> {
  const wanted = wantedPorts(bases);
  const faults = portFaults(wanted);
  if (faults.length > 0) return faults;
  const taken = await Promise.all(
    wanted.map(async (port) => {
      const why = await whyNotFree(port.port);
      return why === undefined ? [] : [{ wanted: port, why, user: userOfPort(port.port) }];
    }),
  );
  return describeAllTaken(wanted, taken.flat());
}
