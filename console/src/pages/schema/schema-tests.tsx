import { List } from '@mantine/core'
import type { Answer } from '../../api/client.ts'

type SavedSchema = Answer<'PUT /api/v1/schemas/{name}'>

/** Which tests of a schema fail and how, and what else is wrong with it. */
export function SchemaTests({ tests, problems }: Pick<SavedSchema, 'tests' | 'problems'>) {
  return (
    <List my="sm">
      {problems.map(({ file, message }) => (
        <List.Item key={`${file} ${message}`} className="foreign">
          <code>{file}</code> {message}
        </List.Item>
      ))}
      {tests
        .filter(({ wrong }) => wrong.length > 0)
        .map(({ name, wrong }) => (
          <List.Item key={name} className="foreign">
            <b>{name}</b>: {wrong.join('; ')}
          </List.Item>
        ))}
    </List>
  )
}
