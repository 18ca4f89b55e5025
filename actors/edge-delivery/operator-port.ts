/** The operator port: a listener on which a node of any role tells about itself and its machine. It is not for viewers. */
import type { Logger } from '../../cluster/observe/logger.ts';
import type { HttpHandlers, HttpLimits, HttpServer } from './http/http-server.ts';

export interface OperatorPortOptions {
  /** Undefined where there is no operator port. Port 0 takes a free one. */
  readonly at: { readonly host: string; readonly port: number } | undefined;
  readonly server: HttpServer;
  readonly api: HttpHandlers;
  readonly logger: Logger;
}

/** Only few scrapers and probes connect here. */
export const operatorPortLimits: Partial<HttpLimits> = {
  connections: 256,
  waitingRequests: 256,
  slowResponses: 64,
  slowBytes: 67_108_864,
};
const graceMs = 500;

export class OperatorPort {
  readonly #options: OperatorPortOptions;

  constructor(options: OperatorPortOptions) {
    this.#options = options;
  }

  /** @throws Error when the address is taken */
  async listen(): Promise<void> {
    const { at, server, api, logger } = this.#options;
    if (at === undefined) return;
    const port = await server.listen(at.host, at.port, api);
    logger.info({ host: at.host, port }, 'the operator port is listening');
  }

  async close(): Promise<void> {
    const { at, server } = this.#options;
    if (at !== undefined) await server.close(graceMs);
  }
}
