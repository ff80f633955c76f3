import { Text, UnstyledButton } from '@mantine/core'
import type { AlertDetail } from '../../api/types.ts'
import { Section } from '../../parts/section.tsx'
import classes from './entities.module.css'

const NAMES: Readonly<Record<string, string>> = {
  p_any_ip_addresses: 'Addresses',
  p_any_domain_names: 'Domains',
  p_any_usernames: 'Users',
  p_any_emails: 'E-mail',
  p_any_md5_hashes: 'MD5',
  p_any_sha1_hashes: 'SHA-1',
  p_any_sha256_hashes: 'SHA-256',
  p_any_trace_ids: 'Trace ids',
}

const MOST = 12

interface EntitiesProps {
  readonly alert: AlertDetail
  onOpen(indicator: string): void
}

/** Who and what the events are about. Each leads to everything that any log says about it. */
export function Entities({ alert, onOpen }: EntitiesProps) {
  const groups = Object.entries(alert.indicators).filter(([, values]) => values.length > 0)
  if (groups.length === 0) return null
  return (
    <Section title="Entities">
      <dl className={classes['groups']}>
        {groups.map(([kind, values]) => (
          <div key={kind}>
            <dt>{NAMES[kind] ?? kind.replace('p_any_', '').replaceAll('_', ' ')}</dt>
            <dd>
              {values.slice(0, MOST).map((value) => (
                <UnstyledButton
                  key={value}
                  className={`${classes['value']} foreign`}
                  onClick={() => onOpen(value)}
                  title={`What all logs say about ${value}`}
                >
                  {value}
                </UnstyledButton>
              ))}
              {values.length > MOST && <Text c="dimmed">and {values.length - MOST} more</Text>}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}
