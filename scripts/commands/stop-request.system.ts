/** Ctrl-C and its like, for a command that has something to end in order. */

/** Through npm one Ctrl-C arrives twice, from the terminal and from npm. A second signal within this time is the same one. */
const sameStopMs = 1000;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What it needs of the process. */
export interface StopPorts {
  readonly on: (signal: (typeof signals)[number], listener: () => void) => void;
  readonly nowMs: () => number;
  readonly exit: (code: number) => void;
}

const thisProcess: StopPorts = {
  on: (signal, listener) => void process.on(signal, listener),
  nowMs: () => performance.now(),
  exit: (code) => process.exit(code),
};

/** The first SIGINT, SIGTERM or SIGHUP asks for an orderly stop. Another one ends everything at once. */
export class StopRequest {
  readonly #ports: StopPorts;
  readonly #abort = new AbortController();
  readonly #requested = Promise.withResolvers<undefined>();
  readonly #kill = new AbortController();
  #firstMs = 0;

  constructor(ports: StopPorts = thisProcess) {
    this.#ports = ports;
    for (const signal of signals) ports.on(signal, () => this.#stop());
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborts when everything is to end at once. */
  get killSignal(): AbortSignal {
    return this.#kill.signal;
  }

  get requested(): Promise<undefined> {
    return this.#requested.promise;
  }

  #stop(): void {
    const nowMs = this.#ports.nowMs();
    if (this.signal.aborted) {
      if (nowMs - this.#firstMs < sameStopMs) return;
      this.#kill.abort();
      return this.#ports.exit(130);
    }
    this.#firstMs = nowMs;
    this.#abort.abort();
    this.#requested.resolve(undefined);
  }
}
