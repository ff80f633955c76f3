import { type ConfigOf, find } from '../../util/define.ts'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { asana } from './asana.ts'
import { caracal } from './caracal.ts'
import type { Destination, DestinationDeps } from './destination.ts'
import { discord } from './discord.ts'
import { email } from './email.ts'
import { file } from './file.ts'
import { github } from './github.ts'
import { incidentio } from './incidentio.ts'
import { jira } from './jira.ts'
import { mattermost } from './mattermost.ts'
import { msteams } from './msteams.ts'
import { ntfy } from './ntfy.ts'
import { opsgenie } from './opsgenie.ts'
import { pagerduty } from './pagerduty.ts'
import { servicenow } from './servicenow.ts'
import { slack } from './slack.ts'
import { sns } from './sns.ts'
import { splunkHec } from './splunk-hec.ts'
import { sqs } from './sqs.ts'
import { stdout } from './stdout.ts'
import { syslog } from './syslog.ts'
import { telegram } from './telegram.ts'
import { webhook } from './webhook.ts'

/** Built-in destinations. A new one is one file in this folder and one name here. */
export const destinations = [
  stdout,
  webhook,
  slack,
  discord,
  msteams,
  mattermost,
  ntfy,
  telegram,
  email,
  pagerduty,
  opsgenie,
  incidentio,
  jira,
  github,
  servicenow,
  asana,
  splunkHec,
  syslog,
  file,
  sns,
  sqs,
  caracal,
] as const

export type DestinationConfig = ConfigOf<(typeof destinations)[number]>

/** Creates the destination of a config block. Throws `ConfigError` that names the destination. */
export async function createDestination(config: DestinationConfig, deps: DestinationDeps): Promise<Destination> {
  try {
    return await find('destination', destinations, config.type).create(config as never, deps)
  } catch (error) {
    throw new ConfigError(messageOf(error), { path: `destination ${config.id}` }, { cause: error })
  }
}

/** True if the destination shows the status and owner of alerts. */
export function isMirror(config: DestinationConfig): boolean {
  const { mirrors } = find('destination', destinations, config.type) as { mirrors?: (config: never) => boolean }
  return mirrors?.(config as never) ?? false
}

/** True if the destination's alerts stay on this machine. */
export function isLocal({ type }: DestinationConfig): boolean {
  return find('destination', destinations, type).isLocal
}
