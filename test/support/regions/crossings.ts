/** A call and an event that cross in tests of the gateways alone. */
import { z } from 'zod';
import type { AllowList } from '../../../cluster/contract/regions/allow-list.ts';
import type { RegionCall, RegionEvent } from '../../../cluster/contract/regions/crossing.ts';

const Text = z.object({ text: z.string().min(1) });
type Text = z.infer<typeof Text>;

export const echo: RegionCall<Text, Text> = {
  name: 'echo',
  params: Text,
  result: Text,
  maxBytes: 4000,
  maxResultBytes: 8000,
  perSecond: 40,
};

export const greeting: RegionEvent<Text> = { name: 'greeting', event: Text, maxBytes: 2000, perSecond: 2000 };

export const testAllowList: AllowList = { calls: [echo], events: [greeting] };
