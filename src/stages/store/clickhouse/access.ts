import { createHash } from 'node:crypto'
import { ON_CLUSTER, PART_DATABASES } from '../cluster.ts'
import { DATABASES, quoteName, quoteText } from '../ddl.ts'
import { type QueryLimits, readerSettings, type Statements, settingsText } from '../engine.ts'
import type { Credentials } from './client.ts'

/** A step of `caracal lake init`: what it does, in words, and its SQL. */
export interface Step {
  readonly what: string
  readonly sql: readonly string[]
}

/** What the reader may read: the lake, and the names and types of its columns. The catalogue counts parts, and shows those of the lake only. */
export function readerGrants(reader: string, isCluster = false): string[] {
  const databases = [...DATABASES, ...(isCluster ? PART_DATABASES : []), 'information_schema', 'INFORMATION_SCHEMA']
  const tables = [...databases.map((database) => `${quoteName(database)}.*`), '`system`.`parts`']
  return tables.map((table) => `GRANT SELECT ON ${table} TO ${quoteName(reader)}`)
}

/** The profile with the reader's settings. */
export function profileOf(reader: string): string {
  return `${reader}_profile`
}

/** Makes the databases, and the user as which people's SQL runs. May be repeated, which sets the password and the settings again. */
export function accessSteps({ user, password }: Credentials, limits: QueryLimits, isCluster = false): Step[] {
  const [reader, profile] = [quoteName(user), quoteName(profileOf(user))]
  const databases = [...DATABASES, ...(isCluster ? PART_DATABASES : [])]
  const hash = createHash('sha256').update(password).digest('hex').toUpperCase()
  return [
    {
      what: `databases ${databases.join(', ')}`,
      sql: databases.map((database) => `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`),
    },
    {
      what: `settings profile ${profileOf(user)}: read only, with the limits of the lake block`,
      sql: [
        `CREATE SETTINGS PROFILE OR REPLACE ${profile} SETTINGS ${settingsText(readerSettings(limits, isCluster ? ON_CLUSTER : {}))}`,
      ],
    },
    {
      what: `user ${user}, as which people's SQL runs`,
      sql: [
        `CREATE USER IF NOT EXISTS ${reader} IDENTIFIED WITH sha256_hash BY ${quoteText(hash)}`,
        `ALTER USER ${reader} IDENTIFIED WITH sha256_hash BY ${quoteText(hash)} SETTINGS PROFILE ${quoteText(profileOf(user))}`,
      ],
    },
    {
      what: `rights of ${user}: to read the lake, and nothing else`,
      sql: [`REVOKE ALL ON *.* FROM ${reader}`, ...readerGrants(user, isCluster)],
    },
  ]
}

/** Takes the steps one after another. `onDone` is called after each. Throws the server's error. */
export async function giveAccess(session: Statements, steps: readonly Step[], onDone: (step: Step) => void): Promise<void> {
  for (const step of steps) {
    for (const sql of step.sql) await session.run(sql)
    onDone(step)
  }
}
