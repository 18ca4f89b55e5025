/** Shell of the ingest actor: opens the ingest port, ticks its sessions, and closes them when told to (C2). */
import { randomUUID } from 'node:crypto';
import type { ServiceSchema } from 'moleculer';
import type { LocalPublishers } from '../../cluster/contract/hand-over.ts';
import { CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import { actionsInTime, type CheckDeadline } from '../../cluster/membership/deadlines.ts';
import { SessionId, type StreamId } from '../../cluster/model/ids.ts';
import type { IngestPort } from './ingest-port.ts';
import { IngestSession } from './ingest-session.ts';
import { IngestSessions, type IngestSessionsPorts } from './ingest-sessions.ts';

const tickEveryMs = 500;
/** Together with the half second in which the sockets linger, this stays below the 5 s of a stop. */
const drainWithinMs = 4000;

const newSessionId = (): SessionId => SessionId.parse(randomUUID());

export interface IngestServiceOptions extends Omit<IngestSessionsPorts, 'newSession' | 'newSessionId'> {
  readonly ingest: IngestPort;
  readonly checkDeadline: CheckDeadline;
  /** Gets the bound port once the ingest listens. */
  readonly onListening?: (port: number) => void;
  /** Says when the owner of streams is gone, so that their sessions look for the next owner at once (C2). */
  readonly onOwnerGone?: (listener: (streams: readonly StreamId[]) => void) => () => void;
  /** Told what a drain of this node asks. */
  readonly onMade?: (publishers: LocalPublishers) => void;
  /** Called when the last session has offered what it had. */
  readonly onStopped?: () => void;
}

export function ingestService({
  ingest,
  onListening,
  onStopped,
  onOwnerGone,
  onMade,
  checkDeadline,
  ...ports
}: IngestServiceOptions): ServiceSchema {
  const sessions = new IngestSessions({ ...ports, newSessionId, newSession: () => new IngestSession() });
  const { action } = actionsInTime(checkDeadline);
  let stopTicking: (() => void) | undefined;
  let stopListening: (() => void) | undefined;
  let ending: Promise<void> | undefined;
  const endOnce = async (): Promise<void> => {
    await ingest.stop();
    await sessions.drain(drainWithinMs);
  };
  const end = (): Promise<void> => (ending ??= endOnce());
  onMade?.({
    count: () => sessions.size,
    askToLeave: () => sessions.askToLeave(),
    closeAtKeyframe: () => sessions.closeAtKeyframe(),
    end,
  });
  return {
    name: 'ingest',
    actions: {
      closeSessions: action(CloseSessionsParams, (params) => sessions.close(params)),
    },
    async started() {
      stopTicking = ports.clock.every(tickEveryMs, () => sessions.tick());
      stopListening = onOwnerGone?.((streams) => sessions.ownerGone(streams));
      const { port } = await ingest.start(sessions);
      onListening?.(port);
    },
    async stopped() {
      stopListening?.();
      await end();
      stopTicking?.();
      onStopped?.();
    },
  };
}
