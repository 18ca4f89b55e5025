/** Carries over NATS what members say of each other: accusations, and an operator's word on them (C3). A lost message does no harm. */
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import type { RegionId } from '../model/ids.ts';
import { Accusation, Release } from './heard.ts';

interface HearsayOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  /** Also called for this node's own accusations. */
  readonly onAccusation: (accusation: Accusation) => void;
  readonly onRelease: (release: Release) => void;
  /** Called for each message that cannot be read. */
  readonly onBad: () => void;
}

export interface Hearsay {
  accuse(accusation: Accusation): void;
  release(release: Release): void;
  close(): void;
}

export function openHearsay({ connection, region, onAccusation, onRelease, onBad }: HearsayOptions): Hearsay {
  const listen = (subject: string, hear: (said: unknown) => void): (() => void) => {
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          hear(JSON.parse(message.string()));
        } catch {
          onBad();
        }
      },
    });
    return () => subscription.unsubscribe();
  };
  const say = (subject: string, said: Accusation | Release): void => {
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify(said));
  };
  const stops = [
    listen(subjects.accusations(region), (said) => onAccusation(Accusation.parse(said))),
    listen(subjects.releases(region), (said) => onRelease(Release.parse(said))),
  ];
  return {
    accuse: (accusation) => say(subjects.accusations(region), accusation),
    release: (release) => say(subjects.releases(region), release),
    close: () => stops.forEach((stop) => stop()),
  };
}
