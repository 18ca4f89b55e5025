/** With which codes a server ends a live socket (RFC 6455, 7.4), and what its client does then. */
export interface SocketClose {
  readonly code: number;
  /** In the close frame: at most 123 bytes. */
  readonly reason: string;
  /** What a client does next. */
  readonly next: string;
}

export const socketCloses = {
  binary: { code: 1003, reason: 'frames are text: JSON', next: 'Send text.' },
  tooLarge: { code: 1009, reason: 'a message has 16 kB at most', next: 'Send less.' },
  fault: { code: 1011, reason: 'the server failed', next: 'Connect again after a pause.' },
  leaving: {
    code: 1012,
    reason: 'this node stops',
    next: 'Connect again, to the address of `move` or to another edge.',
  },
  noHello: { code: 4400, reason: 'the first message is hello', next: 'Say `hello` first.' },
  unknown: { code: 4404, reason: 'there is no such stream', next: 'Do not come back.' },
  late: {
    code: 4408,
    reason: 'nothing was heard for too long, or nothing taken',
    next: 'Connect again with `lastId` and `lastAt`.',
  },
  removed: { code: 4410, reason: 'the stream was removed', next: 'Do not come back.' },
  flood: { code: 4429, reason: 'too many messages', next: 'Connect again after a minute.' },
  unavailable: {
    code: 4503,
    reason: 'this node cannot serve the audience now',
    next: 'Connect again after a pause, best to another edge.',
  },
} as const satisfies Record<string, SocketClose>;
