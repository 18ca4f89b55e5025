/** What a demo is asked to be, what it consists of, and what all parts of its start share. */
import { join } from 'node:path';
import type { Clock } from '../../cluster/time/clock.ts';
import { tokenKeysName } from '../../config/token-keys.disk.ts';
import type { LinksOfDemo } from './demo-links.ts';
import type { ProcessEvent } from './process-event.ts';
import type { ProcessSpec, SupervisedProcess } from './supervised-process.system.ts';

export const host = '127.0.0.1';

export interface DemoOptions {
  readonly regions: number;
  /** The number of nodes in each region. */
  readonly nodes: number;
  readonly hasPublisher: boolean;
  readonly store: 'disk' | 's3';
  /** Where streams, keys and comments lie; by default sqlite. With cassandra each region has a data centre of its own. */
  readonly comments?: 'sqlite' | 'cassandra';
  /** The edge of node i listens on portBase + i, its RTMP on rtmpBase + i. 0 takes free ports, for tests. */
  readonly portBase: number;
  readonly rtmpBase: number;
  readonly dataDir: string;
  /** Added to the environment of every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to the environment of one node, which listens for viewers on that port. */
  readonly envOf?: (node: string, httpPort: number) => Promise<Readonly<Record<string, string>>>;
  /** What stands before the command of a region's nodes, where a test gives them a disk of their own in the region's data folder. */
  readonly before?: (region: string, dataDir: string) => Promise<readonly string[]>;
  /** The URL by which a node reaches NATS, where a test stands between them. */
  readonly natsOf?: (node: string, natsUrl: string) => Promise<string>;
  /** The links between the regions, where somebody may cut them. */
  readonly links?: LinksOfDemo;
  /** How long the parts may take until they answer. By default 30 s. */
  readonly readyWithinMs?: number;
  /**
   * How long a process may take to end when it is told to, before it is killed. By default 10 s. For nodes it also sets
   * `TANGAZA_STOP_SECONDS`.
   */
  readonly stopWithinMs?: number;
  readonly onProgress?: (line: string) => void;
  readonly onEvent?: (event: ProcessEvent) => void;
  /** Checks the machine first. Its findings are reported together with those about the folder and the ports. */
  readonly preflight?: () => Promise<readonly string[]>;
  /** The name by which the folder's lock shows this process. */
  readonly command?: string;
  readonly signal?: AbortSignal;
  /** When it aborts, all processes get SIGKILL at once, and nobody waits. */
  readonly killSignal?: AbortSignal;
}

export interface DemoNode {
  readonly region: string;
  readonly node: string;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** `rtmp://127.0.0.1:1935/live` */
  readonly rtmp: string;
  /** `http://127.0.0.1:8180`: the node's metrics, without a token. */
  readonly operator: string;
  readonly process: SupervisedProcess;
}

/** The data centre of a region. */
export interface DataCentre {
  readonly process: SupervisedProcess;
  /** `127.0.0.1:9042`, for clients. */
  readonly point: string;
  /** What the region's nodes are told of the database. */
  readonly env: Readonly<Record<string, string>>;
}

export interface DemoRegion {
  readonly id: string;
  readonly dataDir: string;
  readonly nats: SupervisedProcess;
  /** What describes the regions to its nodes; undefined where it is the only one. */
  readonly regionsFile: string | undefined;
  readonly natsUrl: string;
  readonly objectStore: SupervisedProcess | undefined;
  /** Its data centre, where streams and comments lie in Cassandra. */
  readonly dataCentre: DataCentre | undefined;
  readonly nodes: readonly DemoNode[];
}

/** What all parts of a start share. */
export interface Site {
  readonly options: DemoOptions;
  readonly clock: Clock;
  /** Aborts when the caller gives up, and when a part says that it cannot work with its settings. */
  readonly signal: AbortSignal;
  /** Starts a process, which is stopped with the others. */
  readonly run: (spec: ProcessSpec) => SupervisedProcess;
}

export const tokenKeysOf = ({ dataDir }: Pick<DemoOptions, 'dataDir'>): string =>
  join(dataDir, tokenKeysName);
