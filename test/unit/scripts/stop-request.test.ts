/** What a command makes of Ctrl-C, which comes twice through npm. */
import { expect, test } from 'vitest';
import { StopRequest } from '../../../scripts/commands/stop-request.system.ts';

function opened() {
  const listeners = new Map<string, () => void>();
  const exits: number[] = [];
  const time = { ms: 5000 };
  const stop = new StopRequest({
    on: (signal, listener) => void listeners.set(signal, listener),
    nowMs: () => time.ms,
    exit: (code) => void exits.push(code),
  });
  const press = (signal = 'SIGINT') => listeners.get(signal)?.();
  return { stop, exits, time, press };
}

// As it once was of `tangaza load`: the second of the two signals ended it before its report.
test('one Ctrl-C that arrives twice asks for an orderly stop, and ends nothing', () => {
  const { stop, exits, time, press } = opened();
  press();
  time.ms += 400;
  press();
  expect({ asked: stop.signal.aborted, killed: stop.killSignal.aborted, exits }).toEqual({
    asked: true,
    killed: false,
    exits: [],
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('another %s ends everything at once', (signal) => {
  const { stop, exits, time, press } = opened();
  press();
  time.ms += 1000;
  press(signal);
  expect({ killed: stop.killSignal.aborted, exits }).toEqual({ killed: true, exits: [130] });
});
