import { Button, Checkbox, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type Answer, all, call } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { AdoptDialog } from './adopt-dialog.tsx'

type Proposed = Answer<'GET /api/v1/schemas/{name}/unknown-fields'>['fields'][number]

/** A field that is proposed, and how often sources sent it. */
interface Unknown extends Proposed {
  readonly count: number
  readonly sources: string
}

interface UnknownFieldsProps {
  readonly logType: string
  /** Only a schema with a file can have more fields. */
  readonly hasFile: boolean
}

/** Fields that arrived and that the schema does not have: those that are ticked can become part of it. */
export function UnknownFields({ logType, hasFile }: UnknownFieldsProps) {
  const { may } = useSession()
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const [isAdopting, setIsAdopting] = useState(false)
  const proposal = useQuery({
    queryKey: ['schemas', logType, 'unknown-fields'],
    enabled: hasFile,
    queryFn: ({ signal }) => call('GET /api/v1/schemas/{name}/unknown-fields', { path: { name: logType }, signal }),
  })
  const sources = useQuery({
    queryKey: ['sources'],
    enabled: may('sources:read'),
    queryFn: ({ signal }) => all('GET /api/v1/sources', signal),
  })
  if (proposal.error) return <Failure error={proposal.error} onRetry={() => void proposal.refetch()} />
  const counts = (sources.data ?? []).flatMap(({ id, unknown_fields }) =>
    unknown_fields.filter((one) => one.log_type === logType).map(({ field, count }) => ({ source: id, field, count })),
  )
  const fields = hasFile ? (proposal.data?.fields ?? []) : withoutTypes(counts.map(({ field }) => field))
  const rows = fields.map((field): Unknown => {
    const from = counts.filter((one) => one.field === field.name)
    return {
      ...field,
      count: from.reduce((sum, { count }) => sum + count, 0),
      sources: from.map(({ source }) => source).join(', '),
    }
  })
  if (rows.length === 0) return null
  const canAdopt = hasFile && may('content:change')
  const chosen = rows.map(({ name }) => name).filter((name) => ticked.has(name))
  const toggle = (name: string) =>
    setTicked((before) => new Set(before.has(name) ? [...before].filter((one) => one !== name) : [...before, name]))
  return (
    <Section title="Fields that the schema does not have">
      <Text c="dimmed" mb="xs">
        They are stored in the column <code>extra</code>, and rules can read them. A field that is adopted becomes a column of new
        events.
      </Text>
      <DataTable
        columns={canAdopt ? [tickOf(ticked, toggle), ...COLUMNS] : COLUMNS}
        rows={rows}
        keyOf={({ name }) => name}
        minWidth={420}
        empty={null}
      />
      {canAdopt && (
        <Group my="sm">
          <Button size="xs" disabled={chosen.length === 0} onClick={() => setIsAdopting(true)}>
            Adopt…
          </Button>
        </Group>
      )}
      {isAdopting && (
        <AdoptDialog
          logType={logType}
          fields={chosen}
          onClose={() => setIsAdopting(false)}
          onAdopted={() => {
            setIsAdopting(false)
            setTicked(new Set())
          }}
        />
      )}
    </Section>
  )
}

const COLUMNS: readonly Column<Unknown>[] = [
  { name: 'Field', value: ({ name }) => name, show: ({ name }) => <code className="foreign">{name}</code> },
  {
    name: 'Values are',
    value: ({ type }) => type,
    show: ({ type, indicators }) => (indicators.length > 0 ? `${type}: ${indicators.join(', ')}` : type),
  },
  { name: 'Sources', value: ({ sources }) => sources, show: ({ sources }) => <span className="foreign">{sources}</span> },
  { name: 'Events', value: ({ count }) => count, show: ({ count }) => (count > 0 ? number(count) : ''), isNumber: true },
]

function withoutTypes(names: readonly string[]): readonly Proposed[] {
  return [...new Set(names)].map((name) => ({ name, type: '', indicators: [], yaml: '' }))
}

function tickOf(ticked: ReadonlySet<string>, toggle: (name: string) => void): Column<Unknown> {
  return {
    name: ' ',
    show: ({ name }) => (
      <Checkbox size="xs" checked={ticked.has(name)} onChange={() => toggle(name)} aria-label={`Adopt the field ${name}`} />
    ),
  }
}
