/** The port of what is on air in other regions, and of their edges: hints with an age, which every node keeps (R3). */
import type { Epoch, NodeId, RegionId, StreamId } from '../model/ids.ts';

/** A stream that another region is the home of. */
export interface StreamElsewhere {
  readonly stream: StreamId;
  /** Its home. */
  readonly region: RegionId;
  readonly epoch: Epoch;
  /** Of the next segment, in the numbers of the home's log; 0, and so the two that follow, while nobody has said it. */
  readonly nextNumber: number;
  /** Of the newest period, in the home's log. */
  readonly discontinuities: number;
  readonly availabilityStartMs: number;
  readonly isOnAir: boolean;
  /** When its owner took it over, by the home's UTC. */
  readonly sinceMs: number;
  /** Where an encoder publishes it: `rtmp://HOST:PORT/live` of its owner. */
  readonly rtmpUrl: string;
  /** How long ago the home last said so. */
  readonly ageMs: number;
}

/** An edge of another region, as it said 2 s ago or less. */
export interface EdgeElsewhere {
  readonly region: RegionId;
  readonly node: NodeId;
  /** The base URL for viewers, without a trailing slash. */
  readonly httpUrl: string;
  readonly isSound: boolean;
  readonly connections: number;
  /** How many more connections it takes. */
  readonly room: number;
  readonly weight: number;
}

export interface Elsewhere {
  /** Where the stream is at home, if that is another region: of two that say so, the one of the higher epoch. */
  homeOf(stream: StreamId): StreamElsewhere | undefined;
  /**
   * As `homeOf`; where no region has told of the stream, asks them, 300 ms at most. A region that nothing is known of is asked again after 2 s
   * at the earliest. It never throws. Ask the registry first, so that streams that exist nowhere cost no other region a question.
   */
  ask(stream: StreamId): Promise<StreamElsewhere | undefined>;
  /** Of all other regions, in order of id. What a cut region said last stays, with its age. */
  streams(): readonly StreamElsewhere[];
  /** Edges that were told within 6 s, in order of region and id; of a region that is cut off, none. */
  edges(): readonly EdgeElsewhere[];
  /** Changes exactly when the URLs of `edges()` change. */
  readonly edgesRevision: number;
  /** Calls the listener when another region tells a stream's beginning, change or end. @returns what ends it */
  onChange(listener: (stream: StreamElsewhere) => void): () => void;
}

export const nothingElsewhere: Elsewhere = {
  homeOf: () => undefined,
  ask: () => Promise.resolve(undefined),
  streams: () => [],
  edges: () => [],
  edgesRevision: 0,
  onChange: () => () => {},
};
