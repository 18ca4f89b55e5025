/** The port of the logger: structured lines in the shape that pino has. Secrets must not be passed to it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Makes a logger that adds `fields` to each of its lines. */
  child(fields: object): Logger;
}

/** A logger for tests and tools that writes nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
