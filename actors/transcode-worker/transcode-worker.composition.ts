/** Builds the transcode worker of a node from the node's parts. */
import { join } from 'node:path';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { openFfmpegEncoder } from './encoder.ffmpeg.ts';
import { transcodeWorkerService } from './transcode-worker.service.ts';
import { TranscodeWorker } from './worker.ts';

export interface TranscodeWorkerParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'worker' | 'dataDir'>;
  readonly store: SegmentStore;
}

/** At a stop, tasks in progress get this long before they go back to the queue. */
const drainMs = 4000;
/** Encoders give way to what serves viewers. */
const niceness = 2;

/** @param closing gets what ends the encoder. @throws Error when its folder cannot be made */
export async function composeTranscodeWorker(
  parts: TranscodeWorkerParts,
  closing: AsyncDisposableStack,
): Promise<MakeService> {
  const { config, node, queue, store, clock, metrics, logger, fingerprint } = parts;
  const { slots, ffmpeg } = config.worker;
  const tempRoot = join(config.dataDir, 'tmp', node);
  const encoder = closing.use(await openFfmpegEncoder({ ffmpeg, tempRoot, clock, niceness }));
  return ({ report }) => {
    const shared = { slots, fingerprint, queue, store, encoder, clock, logger, metrics };
    const worker = new TranscodeWorker({ node, report, ...shared });
    return transcodeWorkerService({ worker, slots, fingerprint, drainMs });
  };
}
