/** `tangaza release`: an operator lifts the brake on mass deaths (C3). */
import { Command } from 'commander';
import { ReleaseView } from '../../cluster/contract/api/control-views.ts';
import { callApi, print, withApiOptions, type ApiOptions } from '../client/api.ts';

export function releaseCommand(): Command {
  return withApiOptions(
    new Command('release').description(
      'Lifts the brake on mass deaths: nodes that are suspected, and that you know to be dead, are declared dead now, not after 30 s. One that answers stays.',
    ),
  ).action(async (options: ApiOptions) => {
    const view = await callApi(options, { method: 'POST', path: '/v1/cluster/release' }, ReleaseView);
    const { released } = view;
    print(options, view, () =>
      released.length === 0
        ? 'No node is suspected: nothing is held.\n'
        : `Declared dead now, unless they answer: ${released.join(', ')}.\n`,
    );
  });
}
