import { Button, Group, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import { Reading } from './reading.tsx'

/** Reads records that somebody pastes with the schema as it is in the editor. */
export function SampleReading({ yaml }: { readonly yaml: string }) {
  const [sample, setSample] = useState('')
  const read = useMutation({ mutationFn: () => call('POST /api/v1/schemas/test', { body: { yaml, sample } }) })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        read.mutate()
      }}
    >
      <Textarea
        label="Try it on records"
        description="Lines of a log, as they arrive. Nothing is stored."
        classNames={{ input: 'mono' }}
        autosize
        minRows={3}
        maxRows={12}
        required
        value={sample}
        onChange={(event) => setSample(event.currentTarget.value)}
      />
      <Group my="sm">
        <Button type="submit" size="xs" variant="default" loading={read.isPending}>
          Read them
        </Button>
      </Group>
      <div aria-live="polite">
        {read.error && <Failure error={read.error} />}
        {read.data?.reading && <Reading reading={read.data.reading} />}
      </div>
    </form>
  )
}
