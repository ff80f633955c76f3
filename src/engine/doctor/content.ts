import type { Config } from '../../config/config.ts'
import { contentFolders } from '../../config/content.ts'
import { loadPath } from '../path.ts'
import { type Examination, failed, ok } from './examination.ts'

const ADVICE = '`caracal validate` lists all problems'

/** Checks that content loads. `caracal validate` checks far more. */
export function contentExamination(config: Config, cacheFolder: string): Examination {
  return {
    name: 'content',
    async run() {
      const { data_dir, enabled_packs, disabled_packs, sources, destinations } = config
      const content = contentFolders(config)
      const loaded = await loadPath({ content, data_dir, enabled_packs, disabled_packs, sources, destinations }, cacheFolder)
      const [first, ...others] = [...loaded.problems, ...loaded.names]
      const { rules, schemas, tables } = loaded
      if (!first) return ok(`${rules.size} rules, ${schemas.size} log types, ${tables.size} tables`)
      return failed(`${first.file}: ${first.message}${others.length > 0 ? `, and ${others.length} more problems` : ''}`, ADVICE)
    },
  }
}
