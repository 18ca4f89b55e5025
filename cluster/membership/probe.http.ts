/** P2 of failure detection: `/healthz` at a member's advertised address (C3). */
import type { P2Result } from './detector.ts';

/** Any answer at all, whatever its status, is a living process. */
export async function probeByHttp(httpUrl: string, timeoutMs: number): Promise<P2Result> {
  try {
    const reply = await fetch(`${httpUrl}/healthz`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
    });
    await reply.body?.cancel();
    return 'ok';
  } catch (error) {
    return error instanceof DOMException && error.name === 'TimeoutError' ? 'timedOut' : 'refused';
  }
}
