/** The HTTP probe of failure detection: asks for `/healthz` at the address that a member advertises (C3). */
import type { P2Result } from './detector.ts';

/** Any answer, whatever its status, shows a living process. */
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
