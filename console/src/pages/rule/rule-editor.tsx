import { Alert, Button, Group, Skeleton, Tabs, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { useSession } from '../../session/session.tsx'
import { OnHistory } from './on-history.tsx'
import { type Draft, draftOf, type RuleDetail, type Trial } from './rule-data.ts'
import classes from './rule-editor.module.css'
import { TrialView } from './trial-view.tsx'

const ContentEditor = lazy(() => import('../../parts/content-editor.tsx'))

interface Action {
  mutate(): void
  reset(): void
}

/** Only the outcome of the last action is shown. */
function act(one: Action, other: Action): void {
  other.reset()
  one.mutate()
}

/** The files of a rule: edited, tested and saved. Saving puts them in force, if the tests pass. */
export function RuleEditor({ rule }: { readonly rule: RuleDetail }) {
  const { source } = rule
  const { may } = useSession()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>({ yaml: source.yaml, code: source.code })
  const isChanged = draft.yaml !== source.yaml || draft.code !== source.code
  const canEdit = source.read_only === null && may('content:change')
  const test = useMutation({
    mutationFn: () => call('POST /api/v1/rules/test', { body: draftOf(draft) }),
  })
  const save = useMutation({
    mutationFn: () =>
      call('PUT /api/v1/rules/{id}', { path: { id: rule.id }, body: { ...draftOf(draft), revision: source.revision } }),
    onSuccess: () => {
      announce('Saved, and in force')
      void client.invalidateQueries({ queryKey: ['rules'] })
    },
  })
  const refused = save.error instanceof ApiProblem ? (save.error.body as Trial | undefined) : undefined
  return (
    <div className={classes['editor']}>
      <Tabs defaultValue={source.code === null ? 'yaml' : 'code'} keepMounted={false}>
        <Tabs.List>
          {draft.code !== null && <Tabs.Tab value="code">{source.code_path}</Tabs.Tab>}
          <Tabs.Tab value="yaml">{source.path}</Tabs.Tab>
        </Tabs.List>
        {draft.code !== null && (
          <Tabs.Panel value="code" pt="xs">
            <Suspense fallback={<Skeleton height="calc(var(--editor-height) + 2px)" />}>
              <ContentEditor
                language="python"
                label="Code"
                value={draft.code}
                isReadOnly={!canEdit}
                onChange={(code) => setDraft({ ...draft, code })}
              />
            </Suspense>
          </Tabs.Panel>
        )}
        <Tabs.Panel value="yaml" pt="xs">
          <Suspense fallback={<Skeleton height="calc(var(--editor-height) + 2px)" />}>
            <ContentEditor
              language="yaml"
              label="YAML"
              value={draft.yaml}
              isReadOnly={!canEdit}
              onChange={(yaml) => setDraft({ ...draft, yaml })}
            />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
      <Group my="sm">
        <Button size="xs" variant="default" loading={test.isPending} onClick={() => act(test, save)}>
          Run the tests
        </Button>
        {canEdit && (
          <Button size="xs" disabled={!isChanged} loading={save.isPending} onClick={() => act(save, test)}>
            Save
          </Button>
        )}
        {source.read_only !== null && <Text c="dimmed">{source.read_only}</Text>}
      </Group>
      {save.error && (
        <Alert color="red" role="alert" mb="sm">
          {save.error.message}
        </Alert>
      )}
      {test.error && (
        <Alert color="red" role="alert" mb="sm">
          {test.error.message}
        </Alert>
      )}
      {(refused?.rules ?? test.data?.rules) && <TrialView trial={refused?.rules ? refused : test.data!} />}
      <OnHistory rule={rule} draft={draft} isChanged={isChanged} />
    </div>
  )
}
