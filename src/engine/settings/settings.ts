import { environment } from '../../config/env.ts'
import type { ContentReload } from '../content-reload.ts'
import type { PipelineThread } from '../threads.ts'
import { ConfigFile } from './config-file.ts'
import type { Intakes } from './intakes.ts'
import type { LiveSettings } from './live-settings.ts'
import { PackDesk } from './pack-desk.ts'
import { SettingsWriter } from './settings-writer.ts'
import { SourceDesk } from './source-desk.ts'

export interface SettingsDeps {
  readonly live: LiveSettings
  readonly content: Pick<ContentReload, 'reload' | 'report'>
  readonly pipeline: PipelineThread
  readonly intakes: Intakes
  readonly configFile: string | undefined
}

/** The configuration, as far as it can be changed while running. Every change is written to its file and in force at once, or refused. */
export interface Settings {
  readonly sources: Pick<SourceDesk, 'add' | 'change' | 'remove'>
  readonly packs: Pick<PackDesk, 'list' | 'switch'>
}

export function settingsCalls({ live, content, pipeline, intakes, configFile }: SettingsDeps): Settings {
  const writer = new SettingsWriter({ file: new ConfigFile(configFile, environment()), live, content })
  return {
    sources: new SourceDesk({ live, writer, pipeline, intakes }),
    packs: new PackDesk({ live, writer, packs: () => content.report.packs }),
  }
}
