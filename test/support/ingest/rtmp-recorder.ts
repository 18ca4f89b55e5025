/** A started RTMP ingest whose handler records what it is given, and lets tests wait for it. */
import { once, EventEmitter } from 'node:events';
import type {
  IngestHandler,
  IngestLimits,
  PublisherConnection,
  PublishRequest,
  TagSink,
} from '../../../actors/ingest/ingest-port.ts';
import { defaultIngestLimits, openRtmpIngest } from '../../../actors/ingest/rtmp/rtmp-ingest.rtmp.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { waitForEvents } from '../wait.ts';

export interface RecordedTag {
  readonly kind: string;
  readonly timestampMs: number;
  readonly bytes: number;
}

export class Recording extends EventEmitter implements TagSink {
  readonly request: PublishRequest;
  readonly connection: PublisherConnection;
  readonly tags: RecordedTag[] = [];
  readonly closeReasons: string[] = [];

  constructor(request: PublishRequest, connection: PublisherConnection) {
    super();
    this.request = request;
    this.connection = connection;
  }

  onTag({ kind, timestampMs, payload }: { kind: string; timestampMs: number; payload: Uint8Array }): void {
    this.tags.push({ kind, timestampMs, bytes: payload.length });
    this.emit('tag');
  }

  onClose(reason: string): void {
    this.closeReasons.push(reason);
    this.emit('closed');
  }

  /** Resolves when `count` more tags have come. */
  async more(count: number): Promise<void> {
    const wanted = this.tags.length + count;
    await waitForEvents(
      `${wanted} tags have come`,
      () => this.tags.length >= wanted,
      () => once(this, 'tag'),
    );
  }

  async closed(): Promise<string> {
    await waitForEvents(
      'it is closed',
      () => this.closeReasons.length > 0,
      () => once(this, 'closed'),
    );
    return this.closeReasons[0] ?? '';
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}

export interface RecorderOptions {
  readonly limits?: Partial<IngestLimits>;
  readonly onPublish?: IngestHandler['onPublish'];
}

/** Takes every key that begins with `good`. */
export class RtmpRecorder implements AsyncDisposable {
  readonly port: number;
  readonly recordings: Recording[] = [];
  readonly lines: LogLine[];
  readonly stop: () => Promise<void>;
  readonly #events: EventEmitter;

  private constructor(
    port: number,
    parts: { recordings: Recording[]; lines: LogLine[]; events: EventEmitter; stop: () => Promise<void> },
  ) {
    this.port = port;
    this.recordings = parts.recordings;
    this.lines = parts.lines;
    this.stop = parts.stop;
    this.#events = parts.events;
  }

  static async start({ limits, onPublish }: RecorderOptions = {}): Promise<RtmpRecorder> {
    const parts = {
      recordings: [] as Recording[],
      lines: [] as LogLine[],
      events: new EventEmitter(),
      stop: () => ingest.stop(),
    };
    const ingest = openRtmpIngest({
      host: '127.0.0.1',
      port: 0,
      limits: { ...defaultIngestLimits, ...limits },
      clock: systemClock,
      metrics: noMetrics,
      logger: recordingLogger(parts.lines),
    });
    const record: IngestHandler['onPublish'] = (request, connection) => {
      if (!request.streamKey.startsWith('good'))
        return Promise.reject(new TangazaError('STREAM_KEY_UNKNOWN'));
      const recording = new Recording(request, connection);
      parts.recordings.push(recording);
      parts.events.emit('publish');
      return Promise.resolve(recording);
    };
    const { port } = await ingest.start({ onPublish: onPublish ?? record });
    return new RtmpRecorder(port, parts);
  }

  /** The recording of the publisher with this key, as soon as it is there. */
  async of(key: string): Promise<Recording> {
    const found = () => this.recordings.findLast(({ request }) => request.streamKey === key);
    await waitForEvents(
      `${key} is published`,
      () => found() !== undefined,
      () => once(this.#events, 'publish'),
    );
    return found() ?? this.of(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
