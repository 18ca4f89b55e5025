/**
 * A listener that is not for viewers: what a node tells of itself and its machine. The operator port is one; the HTTP port of a node
 * without the edge role is another: members ask there whether it lives (C3).
 */
import type { Logger } from '../../cluster/observe/logger.ts';
import type { HttpHandlers, HttpLimits, HttpServer } from './http/http-server.ts';

export interface NodePortOptions {
  /** In the log. */
  readonly name: string;
  /** Undefined: there is none. */
  readonly at: { readonly host: string; readonly port: number } | undefined;
  readonly server: HttpServer;
  readonly api: HttpHandlers;
  readonly logger: Logger;
}

/** Scrapers and probes are few. */
export const nodePortLimits: Partial<HttpLimits> = {
  connections: 256,
  waitingRequests: 256,
  slowResponses: 64,
  slowBytes: 67_108_864,
};
const graceMs = 500;

export class NodePort {
  readonly #options: NodePortOptions;

  constructor(options: NodePortOptions) {
    this.#options = options;
  }

  /** @throws Error when the address is taken */
  async listen(): Promise<void> {
    const { name, at, server, api, logger } = this.#options;
    if (at === undefined) return;
    const port = await server.listen(at.host, at.port, api);
    logger.info({ host: at.host, port }, `${name} is listening`);
  }

  async close(): Promise<void> {
    const { at, server } = this.#options;
    if (at !== undefined) await server.close(graceMs);
  }
}
