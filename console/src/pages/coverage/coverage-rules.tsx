import { Anchor, Drawer, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { number } from '../../parts/number.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import { StateMark } from '../../parts/state.tsx'
import type { Tactic } from './coverage.tsx'

type CoveringRule = Tactic['techniques'][number]['rules'][number]

const TONES = { on: 'good', off: 'off', waiting: 'warn', erring: 'bad' } as const

const COLUMNS: readonly Column<CoveringRule>[] = [
  {
    name: 'Rule',
    value: ({ name, id }) => name || id,
    show: ({ id, name }) => (
      <Anchor renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId: id }} {...props} />}>{name || id}</Anchor>
    ),
  },
  { name: 'Severity', value: ({ severity }) => severity, show: ({ severity }) => <SeverityMark severity={severity} /> },
  { name: 'State', value: ({ state }) => state, show: ({ state }) => <StateMark tone={TONES[state]}>{state}</StateMark> },
  { name: 'Matches', value: ({ matches }) => matches, show: ({ matches }) => number(matches), isNumber: true },
]

interface CoverageRulesProps {
  readonly tactic: Tactic | undefined
  readonly technique: string | undefined
  onClose(): void
}

/** The rules of one cell of the matrix. */
export function CoverageRules({ tactic, technique, onClose }: CoverageRulesProps) {
  const cell = tactic?.techniques.find((one) => one.technique === technique)
  return (
    <Drawer
      opened={cell !== undefined}
      onClose={onClose}
      position="right"
      size="xl"
      closeButtonProps={{ 'aria-label': 'Close' }}
      title={[technique, cell?.name, tactic?.name ?? tactic?.tactic].filter(Boolean).join(' · ')}
    >
      {cell && (
        <>
          <Text mb="sm">
            <Anchor
              href={`https://attack.mitre.org/techniques/${cell.technique.replace('.', '/')}/`}
              rel="noreferrer"
              target="_blank"
            >
              {cell.technique} at MITRE ATT&CK
            </Anchor>
          </Text>
          <DataTable columns={COLUMNS} rows={cell.rules} keyOf={({ id }) => id} minWidth={480} empty={null} />
        </>
      )}
    </Drawer>
  )
}
