import { Anchor, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useSession } from '../../session/session.tsx'
import type { DecidedStep } from '../alert/explanation.tsx'
import classes from './rule-code.module.css'
import { useRule } from './rule-data.ts'

interface RuleCodeProps {
  readonly ruleId: string
  readonly decided: readonly DecidedStep[]
}

/** The rule's code, with the lines that decided marked. */
export function RuleCode({ ruleId, decided }: RuleCodeProps) {
  const { may } = useSession()
  const rule = useRule(ruleId, may('content:read'))
  const source = rule.data?.source
  if (!source?.code || source.code_path === null) return null
  const name = source.code_path
  const marked = new Set(decided.filter(({ file }) => file.endsWith(name)).map(({ line }) => line))
  return (
    <>
      <Group justify="space-between" mt="sm" mb={4}>
        <Text c="dimmed" size="sm">
          {name}
        </Text>
        <Anchor size="sm" renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId }} {...props} />}>
          Open the rule
        </Anchor>
      </Group>
      <pre className={classes['code']}>
        {source.code
          .trimEnd()
          .split('\n')
          .map((text, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name.
            <span key={i} className={classes['line']} data-decided={marked.has(i + 1) || undefined}>
              <span className={classes['number']}>{i + 1}</span>
              {text}
              {'\n'}
            </span>
          ))}
      </pre>
    </>
  )
}
