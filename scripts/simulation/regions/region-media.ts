/** The media of the simulated encoder: segments of two seconds of wall time, of which each region's session sends what it has. */
import { SessionId } from '../../../cluster/model/ids.ts';

export const segmentMs = 2000;

/** One connection of the encoder to one region. Twins of one encoder have one `encoder`, and differ by up to 1 ms (M2). */
export interface Session {
  readonly encoder: number;
  readonly jitter90k: number;
}

export const sessionId = ({ encoder }: Session): SessionId => SessionId.parse(`e${encoder}`);
